#pragma once
// Elementary functions of packs, named as in core/math.hpp. Errors below 3 units in the last place.

#include <ul/backend/cpu/pack_exp.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T, int N>
UL_INLINE pack<T, N> exp(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::exp(x.native()));
  else
    return xsimd::exp(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> expm1(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::expm1(x.native()));
  else
    return xsimd::expm1(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> log(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::log(x.native()));
  else
    return xsimd::log(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> log1p(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::log1p(x.native()));
  else
    return xsimd::log1p(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> tanh(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::tanh(x.native()));
  else
    return xsimd::tanh(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> sqrt(pack<T, N> x) {
  if constexpr (N == 1) return pack<T, N>(ul::sqrt(x.native()));
#if defined(__aarch64__)
  // xsimd 8 approximates it.
  else if constexpr (sizeof(T) == 4)
    return typename pack<T, N>::batch(vsqrtq_f32(x.native()));
#endif
  else
    return xsimd::sqrt(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> abs(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::abs(x.native()));
  else
    return xsimd::abs(x.native());
}
template <class T, int N>
UL_INLINE pack<T, N> floor(pack<T, N> x) {
  if constexpr (N == 1)
    return pack<T, N>(ul::floor(x.native()));
  else
    return xsimd::floor(x.native());
}

// Lane by lane: xsimd chooses its reduction of the argument by the largest lane, and these are never hot.
template <class T, int N>
pack<T, N> sin(pack<T, N> x) {
  return x.each([](T t) { return ul::sin(t); });
}
template <class T, int N>
pack<T, N> cos(pack<T, N> x) {
  return x.each([](T t) { return ul::cos(t); });
}

// In double lane by lane: xsimd's loses 6 bits around 2.2.
template <class T, int N>
pack<T, N> erf(pack<T, N> x) {
  if constexpr (N == 1 || sizeof(T) == 8)
    return x.each([](T t) { return ul::erf(t); });
  else
    return xsimd::erf(x.native());
}

}  // namespace UL_ISA
}  // namespace ul
