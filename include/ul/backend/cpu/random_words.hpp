#pragma once
// The random words of Philox, many blocks at a time. A word stands in the lower half of a 64-bit lane, so that a
// product is one instruction and nothing has to be moved between lanes; what the upper half holds does not matter.

#include <ul/backend/cpu/bundle.hpp>
#include <ul/backend/cpu/interleave.hpp>
#include <ul/core/key.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

using words = pack<std::uint32_t>;

void multiply_even();  // so that the name exists everywhere

// The 64-bit products of the lower halves of 64-bit lanes.
#if defined(__AVX512F__)
// Masked by nothing: the plain form has g++ 12 warn of an operand that it leaves undefined itself.
UL_INLINE __m512i multiply_even(__m512i a, __m512i b) { return _mm512_maskz_mul_epu32(0xff, a, b); }
#endif
#if defined(__AVX2__)
UL_INLINE __m256i multiply_even(__m256i a, __m256i b) { return _mm256_mul_epu32(a, b); }
#endif
#if defined(__SSE2__)
UL_INLINE __m128i multiply_even(__m128i a, __m128i b) { return _mm_mul_epu32(a, b); }
#elif defined(__aarch64__)
UL_INLINE uint64x2_t multiply_even(uint64x2_t a, uint64x2_t b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
#endif

using long_words = pack<std::uint64_t>;

// The lower halves of the lanes of two packs, in turn.
UL_INLINE words join_lower(long_words even, long_words odd) {
#if defined(__AVX512F__)
  return words(typename words::batch(_mm512_castps_si512(
      _mm512_mask_moveldup_ps(_mm512_castsi512_ps(even.native()), 0xaaaa, _mm512_castsi512_ps(odd.native())))));
#elif defined(__AVX2__)
  return words(typename words::batch(_mm256_blend_epi32(even.native(), shift_left(odd, 32).native(), 0xaa)));
#else
  return std::bit_cast<words>((even & long_words(0xffffffffu)) | shift_left(odd, 32));
#endif
}

template <class Batch>
concept has_multiply_even = requires(Batch b) {
  multiply_even(b, b);
};
inline constexpr bool has_wide_lanes = words::size > 1 && has_multiply_even<typename long_words::batch>;

// A word in the lower half of each lane.
struct lower_words {
  long_words lanes;

  lower_words() = default;  // uninitialised, as a pack is
  UL_INLINE explicit lower_words(std::uint64_t word) : lanes(word) {}
  UL_INLINE explicit lower_words(long_words of) : lanes(of) {}

  UL_INLINE friend lower_words operator^(lower_words a, lower_words b) { return lower_words(a.lanes ^ b.lanes); }
  UL_INLINE friend wide_product<lower_words> multiply_wide(std::uint32_t a, lower_words b) {
    const long_words factor{std::uint64_t{a}};
    const long_words product(typename long_words::batch(multiply_even(factor.native(), b.lanes.native())));
    return {lower_words(shift_right(product, 32)), lower_words(product)};
  }
};

// A stream, and what its rounds mix in: in memory, where a loop over many blocks finds operands for its instructions.
struct random_stream {
  key k;
  std::uint64_t low[10], high[10];

  explicit random_stream(key of) : k(of) {
    const philox_key whole{static_cast<std::uint32_t>(k.bits), static_cast<std::uint32_t>(k.bits >> 32)};
    for (std::uint32_t round = 0; round < 10; ++round) {
      low[round] = whole.of_round(round).low;
      high[round] = whole.of_round(round).high;
    }
  }
};

// Where store_interleaved writes the even and the odd lanes of 32 bits.
inline constexpr struct places_of_lanes {
  std::uint64_t even[words::size], odd[words::size];

  constexpr places_of_lanes() : even{}, odd{} {
    for (int lane = 0; lane < words::size; ++lane)
      (lane % 2 == 0 ? even : odd)[lane / 2] = static_cast<std::uint64_t>(place_of_lane<words::size>(lane));
  }
} places;

// The words of blocks i, i + 1 ... of the stream, n times as many as a pack has lanes; i is a multiple of their number.
// In each pack they stand where store_interleaved expects them.
template <int n>
UL_INLINE philox_block<bundle<words, n>> random_words(const random_stream& from, std::uint64_t i) {
  philox_block<bundle<words, n>> all;
  if constexpr (has_wide_lanes) {
    const long_words even = long_words::load(places.even) + long_words(i);
    const long_words odd = long_words::load(places.odd) + long_words(i);
    // The counter is (i, upper, 0, 0), and upper is the same for all: rounds 0 and 1 make one product of packs each.
    const auto left = multiply_wide(philox_left_factor, static_cast<std::uint32_t>(i >> 32 ^ from.low[0]));
    using W = lower_words;
    philox_block<W> x[2 * n];
    unroll<2 * n>([&](auto part) __attribute__((always_inline)) {
      constexpr std::uint64_t first = part / 2 * words::size;
      const auto of_number = multiply_wide(philox_left_factor, W((part % 2 == 0 ? even : odd) + long_words(first)));
      const auto right = multiply_wide(philox_right_factor, of_number.high ^ W(from.high[0]));
      x[part] = {{right.high ^ W(from.low[1]), right.low, of_number.low ^ W(left.high ^ from.high[1]), W(left.low)}};
    });
    unroll<8>([&](auto round) __attribute__((always_inline)) {
      unroll<2 * n>([&](auto part) __attribute__((always_inline)) {
        philox_round(x[part], W(from.low[2 + round]), W(from.high[2 + round]));
      });
    });
    unroll<n>([&](auto part) __attribute__((always_inline)) {
      unroll<4>([&](auto w) __attribute__((always_inline)) {
        all.word[w].part[part] = join_lower(x[2 * part].word[w].lanes, x[2 * part + 1].word[w].lanes);
      });
    });
  } else {
    for (int part = 0; part < n; ++part, i += words::size) {
      std::uint32_t word[4][words::size];
      for (int j = 0; j < words::size; ++j) {
        const auto one = from.k.block(i + static_cast<std::uint64_t>(place_of_lane<words::size>(j)));
        for (int w = 0; w < 4; ++w) word[w][j] = one.word[w];
      }
      for (int w = 0; w < 4; ++w) all.word[w].part[part] = words::load(word[w]);
    }
  }
  return all;
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
