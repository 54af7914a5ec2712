#pragma once
// The backend that computes nothing: a model run on it tells what the same run would cost elsewhere. It takes no
// memory, so the largest model is planned in no time.
// FLOPs are those of linear, convolution and attention products, 2 for each multiply-add, as the literature counts
// them: a convolution counts taps beyond its border, the backward pass of attention does not count making its scores
// anew. Bytes are those of tensors; what a backend's kernels take for themselves comes on top.

#include <cstdint>
#include <cstring>

#include <ul/backend/kernels/adam.hpp>
#include <ul/backend/kernels/attention.hpp>
#include <ul/backend/kernels/conv.hpp>
#include <ul/backend/kernels/group_norm.hpp>
#include <ul/backend/kernels/row_norm.hpp>
#include <ul/backend/kernels/softmax.hpp>

namespace ul {

// For one thread. Its tensors hold nothing: what is read back from them is zeros.
class planner {
 public:
  using native = kernel_list<conv_forward, conv_data, conv_weights, group_norm_forward, group_norm_backward,
                             row_norm_forward, row_norm_backward, softmax_forward, softmax_backward, attention_forward,
                             attention_backward, adam_step>;
  static constexpr bool host_memory = false;

  // An address nobody may look at, 64-byte aligned, and no other block's.
  void* allocate(extent bytes) {
    if (bytes < 0) fail("planner: ", bytes, " bytes wanted");
    const std::uintptr_t address = next_;
    next_ += static_cast<std::uintptr_t>(round_up(bytes, alignment, "planner") + alignment);
    in_use_ += bytes;
    if (in_use_ > peak_) peak_ = in_use_;
    return reinterpret_cast<void*>(address);
  }
  void deallocate(void*, extent bytes) noexcept { in_use_ -= bytes; }

  void upload(void*, const void*, extent) {}
  void download(void* to, const void*, extent bytes) { std::memset(to, 0, static_cast<std::size_t>(bytes)); }
  void copy(void*, const void*, extent) {}
  template <class F>
  void for_each(extent, extent, F) {}
  template <class F, class Out, class... In>
  void map(space, F, operand<Out>, operand<In>...) {}
  template <class F, class Out, class... In>
  void fold(space, F, Out*, store_mode, operand<In>...) {}
  template <class T>
  void normal(T*, extent, key, extent) {}
  template <class In, class Out>
  void gemm(const gemm_args<In, Out>& g) {
    flops_ += 2 * g.m * g.n * g.k * g.batch;
  }

  template <class T>
  void run(const conv_forward<T>& k) {
    flops_ += products(k.shape);
  }
  template <class T>
  void run(const conv_data<T>& k) {
    flops_ += products(k.shape);
  }
  template <class T>
  void run(const conv_weights<T>& k) {
    flops_ += products(k.shape);
  }
  template <class T>
  void run(const attention_forward<T>& k) {
    flops_ += 2 * products(k.shape);  // scores, mix
  }
  template <class T>
  void run(const attention_backward<T>& k) {
    flops_ += 4 * products(k.shape);  // the gradients of both factors of both
  }
  template <template <class> class Kernel, class T>
  void run(const Kernel<T>&) {}

  std::int64_t flops() const { return flops_; }
  extent bytes_in_use() const { return in_use_; }
  extent peak() const { return peak_; }  // the most bytes there ever were in use

  // Lets the count of FLOPs start from zero and the peak from what is in use.
  void reset() {
    flops_ = 0;
    peak_ = in_use_;
  }

 private:
  static constexpr extent alignment = 64;

  static std::int64_t products(const conv_shape& s) { return 2 * s.batch * s.outputs() * s.patch() * s.channels_out; }
  static std::int64_t products(const attention_shape& s) {
    return 2 * s.batch * s.heads * s.queries * s.keys * s.depth;
  }

  std::uintptr_t next_ = alignment;
  extent in_use_ = 0, peak_ = 0;
  std::int64_t flops_ = 0;
};

}  // namespace ul
