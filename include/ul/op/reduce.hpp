#pragma once
// Sums and means of a tensor. Totals are in the precision of sums: float for the 16-bit types.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
// y = scale * sum over the middle of a space; the gradient spreads back over it.
template <element Out, backend B, element T>
tensor<B, Out> reduced(const tensor<B, T>& x, const extents& shape, const space& s, double scale) {
  tensor<B, Out> y(x.device(), shape);
  if (y.size() != 0) x.device().fold(s, scaled{scale}, y.data(), store_mode::replace, input(x, s));
  return y;
}
template <backend B, element Out, element T>
void spread_back(const tensor<B, Out>& dy, const extents& shape, const space& s, double scale, gradient<B, T>& dx) {
  dx.map(dy.device(), shape, s, scaled{scale}, operand<const Out>{dy.data(), s.inner, 0, 1});
}
}  // namespace detail

namespace op {

// x -> (), the sum of all elements.
struct sum {
  static constexpr const char* name = "sum";
  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(extents* keep, const tensor<B, T>& x) const {
    if (keep) *keep = x.shape();
    return detail::reduced<compute_t<T>>(x, {}, {1, x.size(), 1}, 1);
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, compute_t<T>>& dy, gradient<B, T>& dx) const {
    detail::spread_back(dy, shape, {1, shape.size(), 1}, 1, dx);
  }
};

// x -> (), the mean of all elements. Throws ul::error when there are none.
struct mean {
  static constexpr const char* name = "mean";
  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(extents* keep, const tensor<B, T>& x) const {
    if (x.size() == 0) fail(name, ": x is ", x.shape(), ", expected at least one element");
    if (keep) *keep = x.shape();
    return detail::reduced<compute_t<T>>(x, {}, {1, x.size(), 1}, 1 / static_cast<double>(x.size()));
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, compute_t<T>>& dy, gradient<B, T>& dx) const {
    detail::spread_back(dy, shape, {1, shape.size(), 1}, 1 / static_cast<double>(shape.size()), dx);
  }
};

// x (B, ...) -> (B), the sum over each sample.
struct sum_samples {
  static constexpr const char* name = "sum_samples";
  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(extents* keep, const tensor<B, T>& x) const {
    if (x.rank() < 1) fail(name, ": x is ", x.shape(), ", expected (B, ...)");
    if (keep) *keep = x.shape();
    return detail::reduced<compute_t<T>>(x, {x.shape()[0]}, points(x.shape()), 1);
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, compute_t<T>>& dy, gradient<B, T>& dx) const {
    detail::spread_back(dy, shape, points(shape), 1, dx);
  }

 private:
  static space points(const extents& shape) { return {shape[0], shape.product(1, shape.rank()), 1}; }
};

// x (B, ..., C) -> (B, C), the mean over the positions of each sample, of which there must be at least one.
struct mean_positions {
  static constexpr const char* name = "mean_positions";
  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    if (x.rank() < 2) fail(name, ": x is ", x.shape(), ", expected (B, ..., C)");
    const space s = detail::samples(x.shape());
    if (s.mid == 0) fail(name, ": x is ", x.shape(), ", expected at least one position");
    if (keep) *keep = x.shape();
    return detail::reduced<T>(x, {s.outer, s.inner}, s, 1 / static_cast<double>(s.mid));
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const space s = detail::samples(shape);
    detail::spread_back(dy, shape, s, 1 / static_cast<double>(s.mid), dx);
  }
};

}  // namespace op

template <tensor_like X>
auto sum(const X& x) {
  return apply(op::sum{}, x);
}
template <tensor_like X>
auto mean(const X& x) {
  return apply(op::mean{}, x);
}
template <tensor_like X>
auto sum_samples(const X& x) {
  return apply(op::sum_samples{}, x);
}
template <tensor_like X>
auto mean_positions(const X& x) {
  return apply(op::mean_positions{}, x);
}

}  // namespace ul
