#pragma once
// Element-wise functions of one tensor: x -> y of the same extents. The op keeps its input.

#include <ul/core/activation.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {
template <class F>
struct unary_value {
  F f;
  template <class V>
  UL_HD V operator()(V x) const {
    return f.value(x);
  }
};
template <class F>
struct unary_chain {
  F f;
  template <class V>
  UL_HD V operator()(V x, V dy) const {
    return f.slope(x) * dy;
  }
};
}  // namespace detail

namespace op {

// y = F::value(x), with the derivative F::slope(x): a named functor over any number type, with a `name`.
template <class F>
struct unary {
  static constexpr const char* name = F::name;
  F f{};

  template <backend B, element T>
  using saved = tensor<B, T>;  // x

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    if (keep) *keep = x;
    const space s = detail::flat(x);
    return detail::mapped<T>(x.device(), x.shape(), s, detail::unary_value<F>{f}, detail::input(x, s));
  }

  template <backend B, element T>
  tensor<B, T> again(const tensor<B, T>& x) const {
    return forward(static_cast<tensor<B, T>*>(nullptr), x);
  }

  template <backend B, element T>
  void adjoint(const tensor<B, T>& x, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const space s = detail::flat(x);
    dx.map(x.device(), x.shape(), s, detail::unary_chain<F>{f}, detail::input(x, s), detail::input(dy, s));
  }
};

}  // namespace op
}  // namespace ul
