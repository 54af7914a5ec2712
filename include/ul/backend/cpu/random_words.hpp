#pragma once
// The random words of Philox, many blocks at a time. A word stands in the lower half of a 64-bit lane, so that a
// product is one instruction and nothing has to be moved between lanes; what the upper half holds does not matter.

#include <ul/backend/cpu/interleave.hpp>
#include <ul/backend/cpu/unroll.hpp>
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
// The upper halves.
UL_INLINE words join_upper(long_words even, long_words odd) {
#if defined(__AVX512F__)
  return words(typename words::batch(_mm512_castps_si512(
      _mm512_mask_movehdup_ps(_mm512_castsi512_ps(odd.native()), 0x5555, _mm512_castsi512_ps(even.native())))));
#elif defined(__AVX2__)
  return words(typename words::batch(_mm256_blend_epi32(shift_right(even, 32).native(), odd.native(), 0xaa)));
#else
  return std::bit_cast<words>(shift_right(even, 32) | (odd & long_words(0xffffffff00000000u)));
#endif
}

template <class Batch>
concept has_multiply_even = requires(Batch b) {
  multiply_even(b, b);
};
inline constexpr bool has_wide_lanes = words::size > 1 && has_multiply_even<typename long_words::batch>;

// The products of a and the lower halves of the lanes.
template <class Lanes>
UL_INLINE Lanes multiply_lower(std::uint32_t a, Lanes b) {
  const Lanes factor{std::uint64_t{a}};
  return typename Lanes::batch(multiply_even(factor.native(), b.native()));
}

// A word in the lower half of each lane.
template <class Lanes>
struct lower_words {
  Lanes lanes;

  lower_words() = default;  // uninitialised, as a pack is
  UL_INLINE explicit lower_words(std::uint64_t word) : lanes(word) {}
  UL_INLINE explicit lower_words(Lanes of) : lanes(of) {}

  UL_INLINE friend lower_words operator^(lower_words a, lower_words b) { return lower_words(a.lanes ^ b.lanes); }
  UL_INLINE friend wide_product<lower_words> multiply_wide(std::uint32_t a, lower_words b) {
    const Lanes product = multiply_lower(a, b.lanes);
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

// The blocks of the lanes of long_words, as offsets.
inline constexpr struct blocks_of_lanes {
  std::uint64_t offset[long_words::size];

  constexpr blocks_of_lanes() : offset{} {
    constexpr int n = long_words::size;
    for (int i = 0; i < n; ++i) offset[i] = static_cast<std::uint64_t>(n == 1 ? i : i % 2 * (n / 2) + i / 2);
  }
} blocks;

// Halves of blocks, one to a lane: words 0 and 2 of each block in `first`, 1 and 3 in `second`. The lower halves of
// their 16 bytes, interleaved (interleave_within), then the upper halves are the words in order.
struct half_blocks {
  words first, second;
};

// Fills out[0..n) with blocks i, i + 1 ... of the stream, which share the upper 32 bits of their numbers; i is a
// multiple of the number of blocks in a pack.
template <int n>
UL_INLINE void random_words(half_blocks* out, const random_stream& from, std::uint64_t i) {
  if constexpr (has_wide_lanes) {
    const long_words number = long_words::load(blocks.offset) + long_words(i);
    // The counter is (lower, upper, 0, 0), and upper is the same for all: rounds 0 and 1 make one product of packs
    // each.
    const auto left = multiply_wide(philox_left_factor, static_cast<std::uint32_t>(i >> 32 ^ from.low[0]));
    using W = lower_words<long_words>;
    philox_block<W> x[n];
    unroll<n>([&](auto part) __attribute__((always_inline)) {
      constexpr std::uint64_t first = part * long_words::size;
      const auto of_number = multiply_wide(philox_left_factor, W(number + long_words(first)));
      const auto right = multiply_wide(philox_right_factor, of_number.high ^ W(from.high[0]));
      x[part] = {{right.high ^ W(from.low[1]), right.low, of_number.low ^ W(left.high ^ from.high[1]), W(left.low)}};
    });
    unroll<7>([&](auto round) __attribute__((always_inline)) {
      unroll<n>([&](auto part) __attribute__((always_inline)) {
        philox_round(x[part], W(from.low[2 + round]), W(from.high[2 + round]));
      });
    });
    // The last round joins two words before it mixes them.
    const words mixed_in = std::bit_cast<words>(long_words(from.high[9] << 32 | from.low[9]));
    unroll<n>([&](auto part) __attribute__((always_inline)) {
      const auto& word = x[part].word;
      const long_words of_left = multiply_lower(philox_left_factor, word[0].lanes);
      const long_words of_right = multiply_lower(philox_right_factor, word[2].lanes);
      out[part].first = join_upper(of_right, of_left) ^ join_lower(word[1].lanes, word[3].lanes) ^ mixed_in;
      out[part].second = join_lower(of_right, of_left);
    });
  } else {
    for (int part = 0; part < n; ++part) {
      std::uint32_t first[words::size], second[words::size];
      for (int lane = 0; lane < words::size; ++lane) {
        const std::uint64_t block = words::size == 1 ? 0 : blocks.offset[lane / 2];
        const int half = part * words::size + lane;
        const auto one = from.k.block(i + static_cast<std::uint64_t>(part * words::size / 2) + block);
        first[lane] = one.word[half % 2 * 2];
        second[lane] = one.word[half % 2 * 2 + 1];
      }
      out[part] = {words::load(first), words::load(second)};
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
