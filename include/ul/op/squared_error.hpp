#pragma once
// Weighted squared errors: x, y (B, ...), weights (B) or none -> (B) = weights[b] * the sum over the sample of (x -
// y)^2, in the precision of sums. No gradient flows to the weights.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
struct weighted_square {
  template <class V>
  UL_HD V operator()(V x, V y, V weight) const {
    return weight * (x - y) * (x - y);
  }
};
struct plain_square {
  template <class V>
  UL_HD V operator()(V x, V y) const {
    return (x - y) * (x - y);
  }
};
struct square_slope {
  double sign;  // 2 for x, -2 for y
  template <class V>
  UL_HD V operator()(V x, V y, V d) const {
    return constant<V>(sign) * d * (x - y);
  }
  template <class V>
  UL_HD V operator()(V x, V y, V d, V weight) const {
    return constant<V>(sign) * weight * d * (x - y);
  }
};
}  // namespace detail

namespace op {

struct squared_error {
  static constexpr const char* name = "squared_error";

  template <backend B, element T>
  struct saved {
    tensor<B, T> x, y;
    tensor<B, compute_t<T>> weights;
  };

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& y,
                                  const tensor<B, compute_t<T>>& weights) const {
    if (x.rank() < 1) fail(name, ": x is ", x.shape(), ", expected (B, ...)");
    if (y.shape() != x.shape()) fail(name, ": y is ", y.shape(), ", x is ", x.shape());
    const extents samples{x.shape()[0]};
    if (weights && weights.shape() != samples) fail(name, ": weights are ", weights.shape(), ", expected ", samples);
    if (keep) *keep = {x, y, weights};
    tensor<B, compute_t<T>> loss(x.device(), samples);
    if (loss.size() == 0) return loss;
    const space s = points(x.shape());
    const auto a = detail::input(x, s), b = detail::input(y, s);
    if (weights)
      x.device().fold(s, detail::weighted_square{}, loss.data(), store_mode::replace, a, b,
                      per_sample<const compute_t<T>>(weights.data()));
    else
      x.device().fold(s, detail::plain_square{}, loss.data(), store_mode::replace, a, b);
    return loss;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, compute_t<T>>& dloss, gradient<B, T>& dx, gradient<B, T>& dy,
               gradient<B, compute_t<T>>&) const {
    slope(kept, dloss, 2, dx);
    slope(kept, dloss, -2, dy);
  }

 private:
  static space points(const extents& shape) { return {shape[0], shape.product(1, shape.rank()), 1}; }

  template <backend B, element T>
  void slope(const saved<B, T>& kept, const tensor<B, compute_t<T>>& dloss, double sign, gradient<B, T>& d) const {
    using coefficient = const compute_t<T>;
    const space s = points(kept.x.shape());
    const auto a = detail::input(kept.x, s), b = detail::input(kept.y, s);
    if (kept.weights)
      d.map(dloss.device(), kept.x.shape(), s, detail::square_slope{sign}, a, b, per_sample<coefficient>(dloss.data()),
            per_sample<coefficient>(kept.weights.data()));
    else
      d.map(dloss.device(), kept.x.shape(), s, detail::square_slope{sign}, a, b, per_sample<coefficient>(dloss.data()));
  }
};

}  // namespace op

template <tensor_like X, tensor_like Y, tensor_like W>
auto squared_error(const X& x, const Y& y, const W& weights) {
  return apply(op::squared_error{}, x, y, weights);
}

}  // namespace ul
