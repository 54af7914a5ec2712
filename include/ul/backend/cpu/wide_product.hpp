#pragma once
// multiply_wide of core/bits.hpp for packs: what a counter-based generator needs beyond arithmetic.

#include <ul/backend/cpu/pack_bits.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

void multiply_even();  // so that the name exists everywhere

// The 64-bit products of the lower halves of 64-bit lanes.
#if defined(__AVX512F__)
UL_INLINE __m512i multiply_even(__m512i a, __m512i b) { return _mm512_mul_epu32(a, b); }
#endif
#if defined(__AVX2__)
UL_INLINE __m256i multiply_even(__m256i a, __m256i b) { return _mm256_mul_epu32(a, b); }
#endif
#if defined(__SSE2__)
UL_INLINE __m128i multiply_even(__m128i a, __m128i b) { return _mm_mul_epu32(a, b); }
#elif defined(__aarch64__)
UL_INLINE uint64x2_t multiply_even(uint64x2_t a, uint64x2_t b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
#endif

template <class Batch>
concept has_multiply_even = requires(Batch b) {
  multiply_even(b, b);
};

template <int N>
UL_INLINE pack<std::uint64_t, N> product_of_lower(pack<std::uint64_t, N> a, pack<std::uint64_t, N> b) {
  using batch = typename pack<std::uint64_t, N>::batch;
  return batch(multiply_even(a.native(), b.native()));
}

}  // namespace simd

template <int N>
UL_INLINE wide_product<pack<std::uint32_t, N>> multiply_wide(std::uint32_t a, pack<std::uint32_t, N> b) {
  using narrow = pack<std::uint32_t, N>;
  if constexpr (N > 1) {
    using half = pack<std::uint64_t, N / 2>;
    if constexpr (simd::has_multiply_even<typename half::batch>) {
      const half factor(a), lanes = std::bit_cast<half>(b), lower(0xffffffffu), upper(0xffffffff00000000u);
      const half even = simd::product_of_lower(lanes, factor);
      const half odd = simd::product_of_lower(shift_right(lanes, 32), factor);
      return {std::bit_cast<narrow>(shift_right(even, 32) | (odd & upper)),
              std::bit_cast<narrow>((even & lower) | shift_left(odd, 32))};
    }
  }
  const auto high = b.each([a](std::uint32_t x) { return ul::multiply_wide(a, x).high; });
  return {high, b.each([a](std::uint32_t x) { return a * x; })};
}

}  // namespace UL_ISA
}  // namespace ul
