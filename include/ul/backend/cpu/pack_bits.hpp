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

template <int N>
UL_INLINE pack<float, N> signed_from_bit(pack<std::uint32_t, N> u, int n) {
  if constexpr (N == 1)
    return pack<float, N>(ul::signed_from_bit(u.native(), n));
  else
    return xsimd::to_float(std::bit_cast<xsimd::batch<std::int32_t>>(u) >> n);
}
// The sign becomes an offset, and the bits are moved into the fraction of a power of two far above them.
template <int N>
UL_INLINE pack<double, N> signed_from_bit(pack<std::uint64_t, N> u, int n) {
  using P = pack<double, N>;
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  const auto moved = shift_right(u ^ pack<std::uint64_t, N>(sign), n) | bits_of(P(0x1p52));
  return from_bits(moved) - P(0x1p52 + static_cast<double>(sign >> n));
}

#if defined(__AVX512F__)
UL_INLINE pack<float, 16> select_by_bit(pack<std::uint32_t, 16> u, int n, pack<float, 16> a, pack<float, 16> b) {
  const auto is_set = _mm512_test_epi32_mask(u.native(), pack<std::uint32_t, 16>(1u << n).native());
  return xsimd::batch<float>(_mm512_mask_blend_ps(is_set, b.native(), a.native()));
}
UL_INLINE pack<double, 8> select_by_bit(pack<std::uint64_t, 8> u, int n, pack<double, 8> a, pack<double, 8> b) {
  const auto is_set = _mm512_test_epi64_mask(u.native(), pack<std::uint64_t, 8>(std::uint64_t{1} << n).native());
  return xsimd::batch<double>(_mm512_mask_blend_pd(is_set, b.native(), a.native()));
}
#elif defined(__AVX2__)
UL_INLINE pack<float, 8> select_by_bit(pack<std::uint32_t, 8> u, int n, pack<float, 8> a, pack<float, 8> b) {
  return xsimd::batch<float>(_mm256_blendv_ps(b.native(), a.native(), from_bits(shift_left(u, 31 - n)).native()));
}
UL_INLINE pack<double, 4> select_by_bit(pack<std::uint64_t, 4> u, int n, pack<double, 4> a, pack<double, 4> b) {
  return xsimd::batch<double>(_mm256_blendv_pd(b.native(), a.native(), from_bits(shift_left(u, 63 - n)).native()));
}
#endif
template <class U, int N, class T>
UL_INLINE pack<T, N> select_by_bit(pack<U, N> u, int n, pack<T, N> a, pack<T, N> b) {
  const pack<U, N> is_set = pack<U, N>(U{0}) - (shift_right(u, n) & pack<U, N>(U{1}));
  return from_bits(bits_of(b) ^ ((bits_of(a) ^ bits_of(b)) & is_set));
}

}  // namespace UL_ISA
}  // namespace ul
