#pragma once
// Gated units: x (..., 2 C), the values and then the gates -> (..., C) = value * act(gate). Shazeer 2020.
// swiglu gates by x sigmoid(x), geglu by x Phi(x) with the error function.

#include <ul/core/activation.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

template <class A>
struct glu_value {
  template <class V>
  UL_HD V operator()(V value, V gate) const {
    return value * A::value(gate);
  }
};
template <class A>
struct glu_slope_value {
  template <class V>
  UL_HD V operator()(V gate, V dy) const {
    return A::value(gate) * dy;
  }
};
template <class A>
struct glu_slope_gate {
  template <class V>
  UL_HD V operator()(V value, V gate, V dy) const {
    return value * A::slope(gate) * dy;
  }
};

struct silu_gate {
  static constexpr const char* name = "swiglu";
  template <class V>
  UL_HD static V value(V x) {
    return silu(x);
  }
  template <class V>
  UL_HD static V slope(V x) {
    return silu_derivative(x);
  }
};
struct gelu_gate {
  static constexpr const char* name = "geglu";
  template <class V>
  UL_HD static V value(V x) {
    return gelu_erf(x);
  }
  template <class V>
  UL_HD static V slope(V x) {
    return gelu_erf_derivative(x);
  }
};

}  // namespace detail

namespace op {

template <class Gate>
struct glu {
  static constexpr const char* name = Gate::name;

  template <backend B, element T>
  using saved = tensor<B, T>;  // x

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    if (x.rank() < 1 || x.shape()[-1] % 2 != 0) fail(name, ": x is ", x.shape(), ", expected (..., 2 C)");
    if (keep) *keep = x;
    const extent C = x.shape()[-1] / 2;
    const space s = points(x.shape());
    return detail::mapped<T>(x.device(), x.shape().with(-1, C), s, detail::glu_value<Gate>{},
                             half<const T>(x.data(), 0, C), half<const T>(x.data(), 1, C));
  }

  template <backend B, element T>
  tensor<B, T> again(const tensor<B, T>& x) const {
    return forward(static_cast<tensor<B, T>*>(nullptr), x);
  }

  template <backend B, element T>
  void adjoint(const tensor<B, T>& x, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const auto d = dx.into(dy.device(), x.shape());
    if (d.data == nullptr) return;
    const extent C = x.shape()[-1] / 2;
    const space s = points(x.shape());
    const auto value = half<const T>(x.data(), 0, C), gate = half<const T>(x.data(), 1, C), dz = detail::input(dy, s);
    detail::map_into(dy.device(), s, detail::glu_slope_value<Gate>{}, half(d.data, 0, C), d.mode, gate, dz);
    detail::map_into(dy.device(), s, detail::glu_slope_gate<Gate>{}, half(d.data, 1, C), d.mode, value, gate, dz);
  }

 private:
  static space points(const extents& x) { return {1, x.product(0, x.rank() - 1), x[-1] / 2}; }
  template <class T>
  static operand<T> half(T* x, extent which, extent C) {
    return {x + which * C, 0, 2 * C, 1};
  }
};

using swiglu = glu<detail::silu_gate>;
using geglu = glu<detail::gelu_gate>;

}  // namespace op

template <tensor_like X>
auto swiglu(const X& x) {
  return apply(op::swiglu{}, x);
}
template <tensor_like X>
auto geglu(const X& x) {
  return apply(op::geglu{}, x);
}

}  // namespace ul
