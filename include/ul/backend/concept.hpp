#pragma once
// What a backend is: memory plus a handful of verbs. Everything else is composed from them, so a new backend works at
// once; it becomes fast by declaring native versions of the kernels in backend/kernels/, one by one.

#include <ul/backend/gemm.hpp>
#include <ul/backend/space.hpp>
#include <ul/core/element.hpp>
#include <ul/core/extents.hpp>
#include <ul/core/key.hpp>

namespace ul {

// The kernels a backend runs by itself: `using native = kernel_list<conv_forward, row_norm_forward>;` promises a member
// `run(const conv_forward<T>&)` and so on for each of its element types.
template <template <class> class... Kernels>
struct kernel_list {};

namespace detail {

template <template <class> class A, template <class> class B>
inline constexpr bool same_kernel = false;
template <template <class> class A>
inline constexpr bool same_kernel<A, A> = true;

template <template <class> class K, class List>
inline constexpr bool listed = false;
template <template <class> class K, template <class> class... Kernels>
inline constexpr bool listed<K, kernel_list<Kernels...>> = (same_kernel<K, Kernels> || ...);

// Stand-ins that let the concept name a functor without fixing one.
struct probe_map {
  template <class V>
  UL_HD V operator()(V a, V b) const {
    return a * b;
  }
};
struct probe_each {
  UL_HD void operator()(extent) const {}
};

}  // namespace detail

// The verbs. `T` is an element type; a functor is a small named struct, trivially copyable, that may hold device
// pointers.
//   allocate(bytes), deallocate(pointer, bytes)   device memory, 64-byte aligned; throws ul::error when there is none
//   upload(to, from, bytes), download(...)        host to device and back; copy(...) within the device
//   for_each(count, work, f)                      f(i) for every i in [0, count), in any order; `work` is about how many
//                                                 scalar operations one call does; calls must not write where others look
//   map(space, f, out, in...)                     out = f(in...) at every point; f takes compute_t values (or packs)
//   fold(space, f, out, mode, in...)              out[o * inner + i] = sum over mid of f(in...), in a fixed order
//   gemm(args)                                    see gemm_args
//   normal(out, count, key, first)                elements first ... first + count - 1 of the key's normal stream
// Every verb gives the same bits whatever the number of threads.
template <class B>
concept backend = requires(B& b, void* p, const void* q, extent n, space s, operand<float> out, operand<const float> in,
                           const gemm_args<float>& product, float* y, key k) {
  typename B::native;
  { b.allocate(n) } -> std::same_as<void*>;
  b.deallocate(p, n);
  b.upload(p, q, n);
  b.download(p, q, n);
  b.copy(p, q, n);
  b.for_each(n, n, detail::probe_each{});
  b.map(s, detail::probe_map{}, out, in, in);
  b.fold(s, detail::probe_map{}, y, store_mode::add, in, in);
  b.gemm(product);
  b.normal(y, n, k, n);
};

// Runs a kernel: natively where the backend declares it, else as it is composed from the verbs.
template <backend B, template <class> class K, class T>
void launch(B& device, const K<T>& kernel) {
  if constexpr (detail::listed<K, typename B::native>)
    device.run(kernel);
  else
    kernel.composed(device);
}

// Scratch memory of a device for the length of a scope.
template <class B, class T>
class scratch {
 public:
  scratch(B& device, extent count)
      : device_(&device), bytes_(checked_mul(count, extent{sizeof(T)}, "scratch")), data_(device.allocate(bytes_)) {}
  ~scratch() { device_->deallocate(data_, bytes_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  T* data() const { return static_cast<T*>(data_); }

 private:
  B* device_;
  extent bytes_;
  void* data_;
};

}  // namespace ul
