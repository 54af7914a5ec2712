#pragma once
// The same elements under other extents; no element moves. Throws ul::error when the sizes differ.

#include <ul/op/op.hpp>

namespace ul {

namespace op {

struct reshape {
  static constexpr const char* name = "reshape";
  extents shape;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    if (keep) *keep = x.shape();
    return x.reshape(shape);
  }

  template <backend B, element T>
  void adjoint(const extents& before, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    dx.add(dy.reshape(before));
  }
};

}  // namespace op

// reshape(x, {B, H * W, C})
template <tensor_like X>
auto reshape(const X& x, const extents& shape) {
  return apply(op::reshape{shape}, x);
}

}  // namespace ul
