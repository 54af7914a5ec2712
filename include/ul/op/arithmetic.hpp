#pragma once
// Sums, differences, products and quotients of tensors. The second broadcasts to the first as op/binary.hpp says;
// throws ul::error with both extents where it does not.

#include <ul/op/binary.hpp>

namespace ul {

namespace detail {

struct add_function {
  static constexpr const char* name = "add";
  template <class V>
  UL_HD static V value(V a, V b) {
    return a + b;
  }
  static constexpr int sign = 1;  // of the gradient of b
};

struct sub_function {
  static constexpr const char* name = "sub";
  template <class V>
  UL_HD static V value(V a, V b) {
    return a - b;
  }
  static constexpr int sign = -1;  // of the gradient of b
};

struct mul_function {
  static constexpr const char* name = "mul";
  template <class V>
  UL_HD static V value(V a, V b) {
    return a * b;
  }
  template <class V>
  UL_HD static V slope_a(V, V b, V dy) {
    return b * dy;
  }
  template <class V>
  UL_HD static V slope_b(V a, V, V dy) {
    return a * dy;
  }
};

struct div_function {
  static constexpr const char* name = "div";
  template <class V>
  UL_HD static V value(V a, V b) {
    return a / b;
  }
  template <class V>
  UL_HD static V slope_a(V, V b, V dy) {
    return dy / b;
  }
  template <class V>
  UL_HD static V slope_b(V a, V b, V dy) {
    return -a / (b * b) * dy;
  }
};

}  // namespace detail

namespace op {
using add = additive<detail::add_function>;
using sub = additive<detail::sub_function>;
using mul = binary<detail::mul_function>;
using div = binary<detail::div_function>;
}  // namespace op

template <tensor_like A, tensor_like B>
auto add(const A& a, const B& b) {
  return apply(op::add{}, a, b);
}
template <tensor_like A, tensor_like B>
auto sub(const A& a, const B& b) {
  return apply(op::sub{}, a, b);
}
template <tensor_like A, tensor_like B>
auto mul(const A& a, const B& b) {
  return apply(op::mul{}, a, b);
}
template <tensor_like A, tensor_like B>
auto div(const A& a, const B& b) {
  return apply(op::div{}, a, b);
}

}  // namespace ul
