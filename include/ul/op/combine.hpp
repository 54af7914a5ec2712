#pragma once
// A linear combination with a pair of coefficients for each sample: x, y (B, ...), a, b (B) -> a[s] x + b[s] y. Noising
// and conversions between predictions are this. No gradient flows to the coefficients, which are in compute precision.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
struct weighted_sum {
  template <class V>
  UL_HD V operator()(V x, V a, V y, V b) const {
    return muladd(a, x, b * y);
  }
};
}  // namespace detail

namespace op {

struct combine {
  static constexpr const char* name = "combine";

  template <backend B, element T>
  struct saved {
    tensor<B, compute_t<T>> a, b;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, compute_t<T>>& a,
                       const tensor<B, T>& y, const tensor<B, compute_t<T>>& b) const {
    if (x.rank() < 1) fail(name, ": x is ", x.shape(), ", expected (B, ...)");
    if (y.shape() != x.shape()) fail(name, ": y is ", y.shape(), ", x is ", x.shape());
    const extents wanted{x.shape()[0]};
    if (a.shape() != wanted) fail(name, ": a is ", a.shape(), ", expected ", wanted);
    if (b.shape() != wanted) fail(name, ": b is ", b.shape(), ", expected ", wanted);
    if (keep) *keep = {a, b};
    const space s = points(x.shape());
    return detail::mapped<T>(x.device(), x.shape(), s, detail::weighted_sum{}, detail::input(x, s),
                             per_sample<const compute_t<T>>(a.data()), detail::input(y, s),
                             per_sample<const compute_t<T>>(b.data()));
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dz, gradient<B, T>& dx, gradient<B, compute_t<T>>&,
               gradient<B, T>& dy, gradient<B, compute_t<T>>&) const {
    const space s = points(dz.shape());
    dx.map(dz.device(), dz.shape(), s, detail::product{}, per_sample<const compute_t<T>>(kept.a.data()),
           detail::input(dz, s));
    dy.map(dz.device(), dz.shape(), s, detail::product{}, per_sample<const compute_t<T>>(kept.b.data()),
           detail::input(dz, s));
  }

 private:
  static space points(const extents& shape) { return {shape[0], 1, shape.product(1, shape.rank())}; }
};

}  // namespace op

template <tensor_like A, tensor_like X, tensor_like B, tensor_like Y>
auto combine(const A& a, const X& x, const B& b, const Y& y) {
  return apply(op::combine{}, x, a, y, b);
}

}  // namespace ul
