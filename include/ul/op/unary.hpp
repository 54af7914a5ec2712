#pragma once
// Element-wise functions of one tensor. Each is a functor for the value and one for the derivative as a function of the
// input; the op keeps the input. x -> y of the same extents.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
template <class D>
struct chained {
  D derivative;
  template <class V>
  UL_HD V operator()(V x, V dy) const {
    return derivative(x) * dy;
  }
};
}  // namespace detail

namespace op {

// y = f(x), with f's derivative d. F and D are named functors over any number type.
template <class F, class D>
struct unary {
  F f;
  D d;

  template <backend B, element T>
  using saved = tensor<B, T>;  // x

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    if (keep) *keep = x;
    tensor<B, T> y(x.device(), x.shape());
    const space s{1, 1, x.size()};
    if (x.size() != 0) x.device().map(s, f, dense(y.data(), s), dense<const T>(x.data(), s));
    return y;
  }

  template <backend B, element T>
  void adjoint(const tensor<B, T>& x, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const space s{1, 1, x.size()};
    dx.map(x.device(), x.shape(), s, detail::chained<D>{d}, dense<const T>(x.data(), s),
           dense<const T>(dy.data(), s));
  }
};

}  // namespace op
}  // namespace ul
