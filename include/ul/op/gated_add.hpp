#pragma once
// A residual behind a gate: x, y (B, ..., C), gate (B, C) -> x + gate[b, c] * y. Peebles and Xie 2023, adaLN-Zero.

#include <ul/op/op.hpp>

namespace ul {

namespace detail {
struct gated_sum {
  template <class V>
  UL_HD V operator()(V x, V gate, V y) const {
    return muladd(gate, y, x);
  }
};
}  // namespace detail

namespace op {

struct gated_add {
  static constexpr const char* name = "gated_add";

  template <backend B, element T>
  struct saved {
    tensor<B, T> gate, y;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& gate,
                       const tensor<B, T>& y) const {
    if (x.rank() < 2) fail(name, ": x is ", x.shape(), ", expected (B, ..., C)");
    if (y.shape() != x.shape()) fail(name, ": y is ", y.shape(), ", x is ", x.shape());
    const extents wanted{x.shape()[0], x.shape()[-1]};
    if (gate.shape() != wanted) fail(name, ": gate is ", gate.shape(), ", expected ", wanted);
    if (keep) *keep = {gate, y};
    const space s = detail::samples(x.shape());
    return detail::mapped<T>(x.device(), x.shape(), s, detail::gated_sum{}, detail::input(x, s),
                             per_sample_channel<const T>(gate.data(), s), detail::input(y, s));
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx, gradient<B, T>& dgate,
               gradient<B, T>& d_y) const {
    B& device = dy.device();
    const space s = detail::samples(dy.shape());
    dx.add(dy);
    dgate.fold(device, kept.gate.shape(), s, detail::product{}, detail::input(dy, s), detail::input(kept.y, s));
    d_y.map(device, dy.shape(), s, detail::product{}, per_sample_channel<const T>(kept.gate.data(), s),
            detail::input(dy, s));
  }
};

}  // namespace op

template <tensor_like X, tensor_like G, tensor_like Y>
auto gated_add(const X& x, const G& gate, const Y& y) {
  return apply(op::gated_add{}, x, gate, y);
}

}  // namespace ul
