#pragma once
// y = scale x + offset with two numbers; x -> y of the same extents.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
struct affine_value {
  double scale, offset;
  template <class V>
  UL_HD V operator()(V x) const {
    return muladd(x, constant<V>(scale), constant<V>(offset));
  }
};
}  // namespace detail

namespace op {

struct affine {
  static constexpr const char* name = "affine";
  double scale = 1, offset = 0;

  template <backend B, element T>
  using saved = nothing;

  template <backend B, element T>
  tensor<B, T> forward(nothing*, const tensor<B, T>& x) const {
    const space s = detail::flat(x);
    return detail::mapped<T>(x.device(), x.shape(), s, detail::affine_value{scale, offset}, detail::input(x, s));
  }

  template <backend B, element T>
  void adjoint(const nothing&, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const space s = detail::flat(dy);
    dx.map(dy.device(), dy.shape(), s, detail::affine_value{scale, 0}, detail::input(dy, s));
  }
};

}  // namespace op

// affine(x, {.scale = 2, .offset = -1})
template <tensor_like X>
auto affine(const X& x, const op::affine& settings) {
  return apply(settings, x);
}

}  // namespace ul
