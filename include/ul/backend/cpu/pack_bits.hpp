#pragma once
// What core/bits.hpp asks of packs: number packs beside unsigned packs of the same lane width.

#include <ul/backend/cpu/pack.hpp>
#include <ul/core/bits.hpp>

namespace ul {
inline namespace UL_ISA {

template <int N>
UL_INLINE pack<std::uint32_t, N> bits_of(pack<float, N> x) {
  return std::bit_cast<pack<std::uint32_t, N>>(x);
}
template <int N>
UL_INLINE pack<std::uint64_t, N> bits_of(pack<double, N> x) {
  return std::bit_cast<pack<std::uint64_t, N>>(x);
}
template <int N>
UL_INLINE pack<float, N> from_bits(pack<std::uint32_t, N> u) {
  return std::bit_cast<pack<float, N>>(u);
}
template <int N>
UL_INLINE pack<double, N> from_bits(pack<std::uint64_t, N> u) {
  return std::bit_cast<pack<double, N>>(u);
}

template <class U, int N>
UL_INLINE pack<U, N> shift_left(pack<U, N> u, int n) {
  if constexpr (N == 1)
    return pack<U, N>(u.native() << n);
  else
    return u.native() << n;
}
template <class U, int N>
UL_INLINE pack<U, N> shift_right(pack<U, N> u, int n) {
  if constexpr (N == 1)
    return pack<U, N>(u.native() >> n);
  else
    return u.native() >> n;
}

template <int N>
UL_INLINE pack<float, N> to_number(pack<std::uint32_t, N> u) {
  if constexpr (N == 1)
    return pack<float, N>(ul::to_number(u.native()));
  else
    return xsimd::to_float(std::bit_cast<xsimd::batch<std::int32_t>>(u));
}
// Both halves are moved into the fraction of a power of two far above them; what is left after subtracting it is exact.
template <int N>
UL_INLINE pack<double, N> to_number(pack<std::uint64_t, N> u) {
  using P = pack<double, N>;
  using U = pack<std::uint64_t, N>;
  const P high = from_bits(shift_right(u, 32) | bits_of(P(0x1p84))) - P(0x1p84);
  const P low = from_bits((u & U(0xffffffffu)) | bits_of(P(0x1p52))) - P(0x1p52);
  return high + low;
}

}  // namespace UL_ISA
}  // namespace ul
