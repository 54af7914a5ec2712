#pragma once
// The sigmoids under the activations of core/activation.hpp, on packs: without the choices between the two ends that
// scalars make.

#include <ul/backend/cpu/pack_math.hpp>
#include <ul/core/activation.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T, int N>
UL_INLINE pack<T, N> exp_of_minus(pack<T, N> x) {
  using P = pack<T, N>;
  if constexpr (simd::has_fast_exp<P>)
    return simd::scaled(simd::split<true>(maximum(P(-simd::greatest_exponent), minimum(P(-simd::least_exponent), x))));
  else
    return exp(-x);
}

// Where exp(-x) overflows, the quotient is the right zero.
template <class T, int N>
UL_INLINE pack<T, N> sigmoid(pack<T, N> x) {
  const pack<T, N> one(T{1});
  return one / (one + exp_of_minus(x));
}

// sigmoid(x) and sigmoid(-x).
template <class T, int N>
UL_INLINE sigmoid_pair<pack<T, N>> sigmoid_both(pack<T, N> x) {
  const pack<T, N> one(T{1}), e = exp_of_minus(x), value = one / (one + e);
  return {value, select(e < constant<pack<T, N>>(1e30), e * value, one)};
}

// Beyond -87 and 87, where exp(-x) leaves the normal numbers, it is 0 and 1 but for 2e-36.
template <int N>
requires simd::has_fast_exp<pack<float, N>> UL_INLINE pack<float, N> silu_derivative(pack<float, N> x) {
  using P = pack<float, N>;
  const P one(1.0f), t = maximum(P(-87.0f), minimum(P(87.0f), x));  // NaN is kept
  const P e = simd::scaled_within(simd::split<true>(t)), value = one / (one + e);
  return value * muladd(t, e * value, one);
}

}  // namespace UL_ISA
}  // namespace ul
