#pragma once
// A tensor repeated to larger extents, as a second operand of op/binary.hpp spreads over the first.

#include <ul/op/broadcast.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace op {

struct expand {
  static constexpr const char* name = "expand";
  extents shape;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::spread spread(name, x.shape(), shape);
    if (keep) *keep = x.shape();
    return detail::mapped<T>(x.device(), shape, spread.points(), detail::same{}, spread.input(x));
  }

  template <backend B, element T, element G>
  void adjoint(const extents& before, const tensor<B, T>& dy, gradient<B, G>& dx) const {
    const detail::spread spread(name, before, shape);
    spread.gather(dy.device(), dx, before, detail::same{}, detail::input(dy, spread.points()));
  }
};

}  // namespace op

// expand(x, {B, H, W, C})
template <tensor_like X>
auto expand(const X& x, const extents& shape) {
  return apply(op::expand{shape}, x);
}

}  // namespace ul
