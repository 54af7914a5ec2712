#pragma once
// The sigmoids under the activations of core/activation.hpp, on packs: without the choices between the two ends that
// scalars make.

#include <ul/backend/cpu/pack_math.hpp>
#include <ul/core/activation.hpp>

namespace ul {
inline namespace UL_ISA {

// Where exp(-x) overflows, the quotient is the right zero.
template <class T, int N>
UL_INLINE pack<T, N> sigmoid(pack<T, N> x) {
  const pack<T, N> one(T{1});
  return one / (one + exp(-x));
}

// sigmoid(x) and sigmoid(-x).
template <class T, int N>
UL_INLINE sigmoid_pair<pack<T, N>> sigmoid_both(pack<T, N> x) {
  const pack<T, N> one(T{1}), e = exp(-x), value = one / (one + e);
  return {value, select(e < constant<pack<T, N>>(1e30), e * value, one)};
}

}  // namespace UL_ISA
}  // namespace ul
