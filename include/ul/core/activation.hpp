#pragma once
// Smooth activations and their derivatives, for float, double and SIMD packs. Only exponentials of negative numbers are
// taken, so nothing overflows for |x| <= 1e12, and accuracy is relative in both tails unless stated.

#include <ul/core/math.hpp>

namespace ul {

// sigmoid(x) and sigmoid(-x) from one exponential; their sum is 1, both are relatively accurate.
template <number V>
struct sigmoid_pair {
  V value, complement;
};
template <number V>
UL_HD UL_INLINE sigmoid_pair<V> sigmoid_both(V x) {
  const V one = constant<V>(1), e = exp(-abs(x)), large = one / (one + e), small = e * large;
  const auto positive = x >= constant<V>(0);
  return {select(positive, large, small), select(positive, small, large)};
}

// 1 / (1 + e^-x)
template <number V>
UL_HD UL_INLINE V sigmoid(V x) {
  const V one = constant<V>(1), e = exp(-abs(x));
  return select(x >= constant<V>(0), one, e) / (one + e);
}
template <number V>
UL_HD UL_INLINE V sigmoid_derivative(V x) {
  const V one = constant<V>(1), e = exp(-abs(x)), r = one / (one + e);
  return e * r * r;
}

// log(1 + e^x); its derivative is sigmoid(x).
template <number V>
UL_HD UL_INLINE V softplus(V x) {
  return maximum(x, constant<V>(0)) + log1p(exp(-abs(x)));
}

// log sigmoid(x) = -softplus(-x); its derivative is sigmoid(-x).
template <number V>
UL_HD UL_INLINE V log_sigmoid(V x) {
  return minimum(x, constant<V>(0)) - log1p(exp(-abs(x)));
}

// x sigmoid(x)
template <number V>
UL_HD UL_INLINE V silu(V x) {
  return x * sigmoid(x);
}
template <number V>
UL_HD UL_INLINE V silu_derivative(V x) {
  const auto s = sigmoid_both(x);
  return s.value * muladd(x, s.complement, constant<V>(1));
}

// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), written as x sigmoid(2 ...). Hendrycks and Gimpel 2016, section 2.
template <number V>
UL_HD UL_INLINE V gelu_tanh(V x) {
  const V inner = x * muladd(x * x, constant<V>(0.071354816272600249), constant<V>(1.5957691216057308));
  return x * sigmoid(inner);
}
template <number V>
UL_HD UL_INLINE V gelu_tanh_derivative(V x) {
  const V cubic = constant<V>(0.071354816272600249), linear = constant<V>(1.5957691216057308), square = x * x;
  const auto s = sigmoid_both(x * muladd(square, cubic, linear));
  const V slope = muladd(square, constant<V>(3) * cubic, linear);
  return s.value * muladd(x * s.complement, slope, constant<V>(1));
}

// x Phi(x), Phi the normal distribution function. In the lower tail the error is a few epsilon times |x|, not relative.
template <number V>
UL_HD UL_INLINE V gelu_erf(V x) {
  const V half = constant<V>(0.5);
  return x * muladd(half, erf(x * constant<V>(0.70710678118654752)), half);
}
template <number V>
UL_HD UL_INLINE V gelu_erf_derivative(V x) {
  const V half = constant<V>(0.5), density = exp(-half * x * x) * constant<V>(0.39894228040143268);
  return muladd(x, density, muladd(half, erf(x * constant<V>(0.70710678118654752)), half));
}

}  // namespace ul
