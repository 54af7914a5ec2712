#pragma once
// Exponential, logarithm, powers and signs of tensors, each x -> y of the same extents.

#include <ul/op/unary.hpp>

namespace ul {

namespace detail {

struct exp_function {
  static constexpr const char* name = "exp";
  template <class V>
  UL_HD V value(V x) const {
    return exp(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return exp(x);
  }
};

struct log_function {
  static constexpr const char* name = "log";
  template <class V>
  UL_HD V value(V x) const {
    return log(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return constant<V>(1) / x;
  }
};

struct sqrt_function {
  static constexpr const char* name = "sqrt";
  template <class V>
  UL_HD V value(V x) const {
    return sqrt(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return constant<V>(0.5) / sqrt(x);
  }
};

struct square_function {
  static constexpr const char* name = "square";
  template <class V>
  UL_HD V value(V x) const {
    return x * x;
  }
  template <class V>
  UL_HD V slope(V x) const {
    return x + x;
  }
};

struct abs_function {
  static constexpr const char* name = "abs";
  template <class V>
  UL_HD V value(V x) const {
    return abs(x);
  }
  template <class V>
  UL_HD V slope(V x) const {
    return select(x > constant<V>(0), constant<V>(1), select(x < constant<V>(0), constant<V>(-1), constant<V>(0)));
  }
};

struct negate_function {
  static constexpr const char* name = "negate";
  template <class V>
  UL_HD V value(V x) const {
    return -x;
  }
  template <class V>
  UL_HD V slope(V) const {
    return constant<V>(-1);
  }
};

}  // namespace detail

namespace op {
using exp = unary<detail::exp_function>;
using log = unary<detail::log_function>;
using sqrt = unary<detail::sqrt_function>;
using square = unary<detail::square_function>;
using abs = unary<detail::abs_function>;
using negate = unary<detail::negate_function>;
}  // namespace op

// e^x
template <tensor_like X>
auto exp(const X& x) {
  return apply(op::exp{}, x);
}

// The natural logarithm.
template <tensor_like X>
auto log(const X& x) {
  return apply(op::log{}, x);
}

template <tensor_like X>
auto sqrt(const X& x) {
  return apply(op::sqrt{}, x);
}

template <tensor_like X>
auto square(const X& x) {
  return apply(op::square{}, x);
}

// |x|; the slope at 0 is taken as 0.
template <tensor_like X>
auto abs(const X& x) {
  return apply(op::abs{}, x);
}

template <tensor_like X>
auto negate(const X& x) {
  return apply(op::negate{}, x);
}

}  // namespace ul
