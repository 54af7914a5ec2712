#pragma once
// The reference backend: plain loops in the host's memory, one thread, nothing native. It is the oracle of every test
// and the shortest complete example of a backend. Sums run in double.

#include <cstring>
#include <new>

#include <ul/backend/concept.hpp>
#include <ul/core/normal.hpp>

namespace ul {

class reference {
 public:
  using native = kernel_list<>;
  static constexpr bool host_memory = true;  // its pointers are the host's

  void* allocate(extent bytes) {
    void* p = ::operator new(static_cast<std::size_t>(bytes), alignment, std::nothrow);
    if (p == nullptr) fail_as(error_kind::system, "reference: out of memory, ", bytes, " bytes wanted");
    return p;
  }
  void deallocate(void* p, extent) { ::operator delete(p, alignment); }

  void upload(void* to, const void* from, extent bytes) { copy(to, from, bytes); }
  void download(void* to, const void* from, extent bytes) { copy(to, from, bytes); }
  void copy(void* to, const void* from, extent bytes) {
    if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }

  template <class F>
  void for_each(extent count, extent /*work*/, F f) {
    for (extent i = 0; i < count; ++i) f(i);
  }

  template <class F, class Out, class... In>
  void map(space s, F f, operand<Out> out, operand<In>... in) {
    for (extent o = 0; o < s.outer; ++o)
      for (extent m = 0; m < s.mid; ++m)
        for (extent i = 0; i < s.inner; ++i) *at(out, o, m, i) = static_cast<Out>(f(load(in, o, m, i)...));
  }

  template <class F, class Out, class... In>
  void fold(space s, F f, Out* out, store_mode mode, operand<In>... in) {
    for (extent o = 0; o < s.outer; ++o)
      for (extent i = 0; i < s.inner; ++i) {
        double sum = 0;
        for (extent m = 0; m < s.mid; ++m) sum += static_cast<double>(f(load(in, o, m, i)...));
        Out& y = out[o * s.inner + i];
        y = static_cast<Out>(static_cast<compute_t<Out>>(mode == store_mode::add ? wide(y) + sum : sum));
      }
  }

  template <class In, class Out>
  void gemm(const gemm_args<In, Out>& g) {
    const extent row_a = g.a_layout == transpose::no ? g.lda : 1, col_a = g.a_layout == transpose::no ? 1 : g.lda;
    const extent row_b = g.b_layout == transpose::no ? g.ldb : 1, col_b = g.b_layout == transpose::no ? 1 : g.ldb;
    for (extent s = 0; s < g.batch; ++s)
      for (extent i = 0; i < g.m; ++i)
        for (extent j = 0; j < g.n; ++j) {
          const In* a = g.a + s * g.stride_a + i * row_a;
          const In* b = g.b + s * g.stride_b + j * col_b;
          double sum = 0;
          for (extent p = 0; p < g.k; ++p) sum += wide(a[p * col_a]) * wide(b[p * row_b]);
          sum *= g.alpha;
          if (g.bias != nullptr) sum += wide(g.bias[j]);
          Out& c = g.c[s * g.stride_c + i * g.ldc + j];
          if (g.mode == store_mode::add) sum += wide(c);
          c = static_cast<Out>(static_cast<compute_t<Out>>(activate(g.act, sum)));
        }
  }

  template <class T>
  void normal(T* out, extent count, key k, extent first) {
    fill_normal(out, count, k, static_cast<std::uint64_t>(first));
  }

 private:
  static constexpr std::align_val_t alignment{64};

  template <class T>
  static double wide(T x) {
    return static_cast<double>(static_cast<compute_t<T>>(x));
  }
  template <class T>
  static T* at(const operand<T>& x, extent o, extent m, extent i) {
    return x.data + o * x.outer + m * x.mid + i * x.inner;
  }
  template <class T>
  static auto load(const operand<T>& x, extent o, extent m, extent i) {
    return static_cast<compute_t<std::remove_const_t<T>>>(*at(x, o, m, i));
  }
};

}  // namespace ul
