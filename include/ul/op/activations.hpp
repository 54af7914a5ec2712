#pragma once
// Activation functions of tensors, each x -> y of the same extents.

#include <ul/op/unary.hpp>

namespace ul {

namespace detail {

struct relu_function {
  static constexpr const char* name = "relu";
  template <class V>
  UL_HD V value(V x) const {
    return maximum(x, constant<V>(0));
  }
  template <class V>
  UL_HD V slope(V x) const {
    return select(x > constant<V>(0), constant<V>(1), constant<V>(0));
  }
};

struct sigmoid_function {
  static constexpr const char* name = "sigmoid";
  template <class V>
  UL_HD V value(V x) const {
    return sigmoid(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return sigmoid_derivative(x);
  }
};

struct tanh_function {
  static constexpr const char* name = "tanh";
  template <class V>
  UL_HD V value(V x) const {
    return tanh(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    const V t = tanh(x);
    return constant<V>(1) - t * t;
  }
};

struct softplus_function {
  static constexpr const char* name = "softplus";
  template <class V>
  UL_HD V value(V x) const {
    return softplus(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return sigmoid(x);
  }
};

struct silu_function {
  static constexpr const char* name = "silu";
  template <class V>
  UL_HD V value(V x) const {
    return silu(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return silu_derivative(x);
  }
};

struct gelu_function {
  static constexpr const char* name = "gelu";
  template <class V>
  UL_HD V value(V x) const {
    return gelu_tanh(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return gelu_tanh_derivative(x);
  }
};

struct gelu_erf_function {
  static constexpr const char* name = "gelu_erf";
  template <class V>
  UL_HD V value(V x) const {
    return gelu_erf(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return gelu_erf_derivative(x);
  }
};

}  // namespace detail

namespace op {
using relu = unary<detail::relu_function>;
using sigmoid = unary<detail::sigmoid_function>;
using tanh = unary<detail::tanh_function>;
using softplus = unary<detail::softplus_function>;
using silu = unary<detail::silu_function>;
using gelu = unary<detail::gelu_function>;
using gelu_erf = unary<detail::gelu_erf_function>;
}  // namespace op

// max(x, 0); the slope at 0 is taken as 0.
template <tensor_like X>
auto relu(const X& x) {
  return apply(op::relu{}, x);
}

// 1 / (1 + e^-x)
template <tensor_like X>
auto sigmoid(const X& x) {
  return apply(op::sigmoid{}, x);
}

template <tensor_like X>
auto tanh(const X& x) {
  return apply(op::tanh{}, x);
}

// log(1 + e^x)
template <tensor_like X>
auto softplus(const X& x) {
  return apply(op::softplus{}, x);
}

// x sigmoid(x). Elfwing et al. 2018.
template <tensor_like X>
auto silu(const X& x) {
  return apply(op::silu{}, x);
}

// The tanh form of x Phi(x). Hendrycks and Gimpel 2016.
template <tensor_like X>
auto gelu(const X& x) {
  return apply(op::gelu{}, x);
}

// x Phi(x) with the error function.
template <tensor_like X>
auto gelu_erf(const X& x) {
  return apply(op::gelu_erf{}, x);
}

}  // namespace ul
