#pragma once
// The backend of every machine: SIMD packs, threads, and a pool of memory on large pages.

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/adam.hpp>
#include <ul/backend/cpu/attention_backward.hpp>
#include <ul/backend/cpu/attention_forward.hpp>
#include <ul/backend/cpu/conv.hpp>
#include <ul/backend/cpu/dropout.hpp>
#include <ul/backend/cpu/executor.hpp>
#include <ul/backend/cpu/fold.hpp>
#include <ul/backend/cpu/gemm.hpp>
#include <ul/backend/cpu/group_norm_backward.hpp>
#include <ul/backend/cpu/group_norm_forward.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/normal.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/row_norm.hpp>
#include <ul/backend/cpu/softmax.hpp>
#include <ul/backend/kept_weights.hpp>

namespace ul {
inline namespace UL_ISA {

struct cpu_options {
  extent threads = 0;  // 0: one for each core the process may use
  executor_kind executor = default_executor;
  extent memory_limit = 0;  // bytes in use at once; 0: no limit but the system's
};

// One device may serve several threads at once. Errors: ul::error for options out of range, threads the system refuses,
// and memory that is not there.
class cpu {
 public:
  using native = kernel_list<conv_forward, conv_data, conv_weights, group_norm_forward, group_norm_backward,
                             row_norm_forward, row_norm_backward, softmax_forward, softmax_backward, attention_forward,
                             attention_backward, adam_step, drop_elements>;
  static constexpr bool host_memory = true;  // its pointers are the host's

  explicit cpu(const cpu_options& options = {})
      : threads_(options.executor, options.threads), memory_(options.memory_limit) {}

  void* allocate(extent bytes) { return memory_.allocate(bytes); }
  void deallocate(void* p, extent bytes) { memory_.deallocate(p, bytes); }

  void upload(void* to, const void* from, extent bytes) { copy(to, from, bytes); }
  void download(void* to, const void* from, extent bytes) { copy(to, from, bytes); }
  void copy(void* to, const void* from, extent bytes) {
    constexpr extent piece = extent{1} << 20;
    threads_.run(ceil_div(bytes, piece), [&](extent c) {
      std::memcpy(static_cast<char*>(to) + c * piece, static_cast<const char*>(from) + c * piece,
                  static_cast<std::size_t>((std::min)(piece, bytes - c * piece)));
    });
  }

  template <class F>
  void for_each(extent count, extent work, F f) {
    for_each_on(threads_, count, work, f);
  }
  template <class F, class Out, class... In>
  void map(space s, F f, operand<Out> out, operand<In>... in) {
    map_on(threads_, s, f, out, in...);
  }
  template <class F, class Out, class... In>
  void fold(space s, F f, Out* out, store_mode mode, operand<In>... in) {
    fold_on(threads_, memory_, s, f, out, mode, in...);
  }
  template <class In, class Out>
  void gemm(const gemm_args<In, Out>& g) {
    gemm_on(threads_, memory_, g);
  }
  template <class T>
  void normal(T* out, extent count, key k, extent first) {
    normal_on(threads_, out, count, k, first);
  }

  // The kernels in `native`. Those of 16-bit elements, and shapes a kernel is not made for, are composed.
  template <template <class> class Kernel, class T>
  void run(const Kernel<T>& kernel) {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      if constexpr (requires { can_run(kernel); })
        if (!can_run(kernel)) return kernel.composed(*this);
      run_on(threads_, memory_, kernel);
    } else {
      kernel.composed(*this);
    }
  }

  extent threads() const { return threads_.threads(); }
  const memory_pool& memory() const { return memory_; }
  memory_pool& memory() { return memory_; }

 private:
  executor threads_;
  memory_pool memory_;
};

}  // namespace UL_ISA

template <>
class kept_weights<cpu> {
 public:
  explicit kept_weights(cpu& device) : outer_(simd::weight_cache::current()) {
    if (outer_ != nullptr && &outer_->memory() == &device.memory()) return;
    simd::weight_cache::current() = &own_.emplace(device.memory());
  }
  ~kept_weights() { simd::weight_cache::current() = outer_; }
  kept_weights(const kept_weights&) = delete;
  kept_weights& operator=(const kept_weights&) = delete;

 private:
  simd::weight_cache* outer_;
  std::optional<simd::weight_cache> own_;  // unless an outer promise for the same device is used
};

}  // namespace ul
