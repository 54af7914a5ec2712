#pragma once
// Products of matrices: a (..., m, k), b (..., k, n) -> (..., m, n), one product for each entry of the leading axes,
// which must be equal. A transposed operand is stored the other way: a (..., k, m), b (..., n, k).

#include <ul/op/op.hpp>

namespace ul::op {

struct matmul {
  static constexpr const char* name = "matmul";
  transpose transpose_a = transpose::no, transpose_b = transpose::no;

  template <backend B, element T>
  struct saved {
    tensor<B, T> a, b;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& a, const tensor<B, T>& b) const {
    const extent rank = a.rank();
    bool fits = rank >= 2 && b.rank() == rank;
    for (extent i = 0; fits && i < rank - 2; ++i) fits = a.shape()[i] == b.shape()[i];
    if (!fits) fail(name, ": a is ", a.shape(), ", b is ", b.shape(), ", expected matrices with equal leading axes");
    const auto [m, n, k] = sizes(a.shape(), b.shape());
    const extent inner = b.shape()[transpose_b == transpose::no ? -2 : -1];
    if (inner != k) fail(name, ": a is ", a.shape(), ", b is ", b.shape(), ": ", k, " columns meet ", inner, " rows");
    if (keep) *keep = {a, b};
    tensor<B, T> c(a.device(), a.shape().with(-2, m).with(-1, n));
    multiply(a.device(), {a.data(), transpose_a}, {b.data(), transpose_b}, c.data(), store_mode::replace, m, n, k,
             a.shape().product(0, rank - 2));
    return c;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dc, gradient<B, T>& da, gradient<B, T>& db) const {
    B& device = dc.device();
    const auto [m, n, k] = sizes(kept.a.shape(), kept.b.shape());
    const extent batch = dc.shape().product(0, dc.rank() - 2);
    const factor<T> a{kept.a.data(), transpose_a}, b{kept.b.data(), transpose_b}, d{dc.data(), transpose::no};
    if (const auto to = da.into(device, kept.a.shape()); to.data) {
      if (transpose_a == transpose::no)
        multiply(device, d, flip(b), to.data, to.mode, m, k, n, batch);
      else
        multiply(device, b, flip(d), to.data, to.mode, k, m, n, batch);
    }
    if (const auto to = db.into(device, kept.b.shape()); to.data) {
      if (transpose_b == transpose::no)
        multiply(device, flip(a), d, to.data, to.mode, k, n, m, batch);
      else
        multiply(device, flip(d), a, to.data, to.mode, n, k, m, batch);
    }
  }

 private:
  template <class T>
  struct factor {
    const T* data;
    transpose layout;
  };
  template <class T>
  static factor<T> flip(const factor<T>& x) {
    return {x.data, x.layout == transpose::no ? transpose::yes : transpose::no};
  }

  struct product_sizes {
    extent m, n, k;
  };
  product_sizes sizes(const extents& a, const extents& b) const {
    const bool ta = transpose_a == transpose::yes, tb = transpose_b == transpose::yes;
    return {a[ta ? -1 : -2], b[tb ? -2 : -1], a[ta ? -2 : -1]};
  }

  template <backend B, element T>
  static void multiply(B& device, factor<T> a, factor<T> b, T* c, store_mode mode, extent m, extent n, extent k,
                       extent batch) {
    if (m * n * batch == 0) return;
    device.gemm(gemm_args<T>{.m = m,
                             .n = n,
                             .k = k,
                             .a = a.data,
                             .lda = a.layout == transpose::no ? k : m,
                             .a_layout = a.layout,
                             .b = b.data,
                             .ldb = b.layout == transpose::no ? n : k,
                             .b_layout = b.layout,
                             .c = c,
                             .ldc = n,
                             .mode = mode,
                             .batch = batch,
                             .stride_a = m * k,
                             .stride_b = k * n,
                             .stride_c = m * n});
  }
};

}  // namespace ul::op

namespace ul {
// matmul(a, b, {.transpose_b = transpose::yes})
template <tensor_like A, tensor_like B>
auto matmul(const A& a, const B& b, const op::matmul& settings = {}) {
  return apply(settings, a, b);
}
}  // namespace ul
