#pragma once
// The random words of Philox, many blocks at a time. A word stands in the lower half of a 64-bit lane, so that a
// product is one instruction and nothing has to be moved between lanes; what the upper half holds does not matter.

#include <ul/backend/cpu/bundle.hpp>
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

template <class Batch>
concept has_multiply_even = requires(Batch b) {
  multiply_even(b, b);
};
inline constexpr bool has_wide_lanes = words::size > 1 && has_multiply_even<typename long_words::batch>;

// One word of n groups of blocks, a group as many as a pack has 32-bit lanes: of its blocks 0, 2, 4 ... in one part and
// of its blocks 1, 3, 5 ... in the next, so that the two join into natural order.
template <int n>
struct wide_lane_words {
  bundle<long_words, 2 * n> lanes;

  UL_INLINE explicit wide_lane_words(std::uint64_t word) : lanes(word) {}
  UL_INLINE explicit wide_lane_words(const bundle<long_words, 2 * n>& of) : lanes(of) {}

  UL_INLINE friend wide_lane_words operator^(const wide_lane_words& a, const wide_lane_words& b) {
    return wide_lane_words(a.lanes ^ b.lanes);
  }
  UL_INLINE friend wide_product<wide_lane_words> multiply_wide(std::uint32_t a, const wide_lane_words& b) {
    const long_words factor{std::uint64_t{a}};
    const wide_lane_words product(by_parts(
        [&](long_words x) __attribute__((always_inline)) {
          return long_words(typename long_words::batch(multiply_even(factor.native(), x.native())));
        },
        b.lanes));
    return {product.upper(), product};
  }
  UL_INLINE wide_lane_words upper() const { return wide_lane_words(shift_right(lanes, 32)); }
  UL_INLINE bundle<words, n> joined() const {
    bundle<words, n> all;
    unroll<n>([&](auto g) __attribute__((always_inline)) {
      const long_words even = lanes.part[2 * g] & long_words(0xffffffffu);
      all.part[g] = std::bit_cast<words>(even | shift_left(lanes.part[2 * g + 1], 32));
    });
    return all;
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

// The words of blocks i, i + 1 ... of the stream, n times as many as a pack has lanes.
template <int n>
UL_INLINE philox_block<bundle<words, n>> random_words(const random_stream& from, std::uint64_t i) {
  if constexpr (has_wide_lanes) {
    std::uint64_t number[long_words::size];
    for (extent j = 0; j < long_words::size; ++j) number[j] = 2 * static_cast<std::uint64_t>(j);
    const long_words even = long_words::load(number) + long_words(i);
    bundle<long_words, 2 * n> block;
    unroll<2 * n>([&](auto part) __attribute__((always_inline)) {
      constexpr std::uint64_t first = part / 2 * words::size + part % 2;
      block.part[part] = even + long_words(first);
    });
    using W = wide_lane_words<n>;
    philox_block<W> x{{W(block), W(block).upper(), W(std::uint64_t{0}), W(std::uint64_t{0})}};
    unroll<10>([&](auto round)
                   __attribute__((always_inline)) { philox_round(x, W(from.low[round]), W(from.high[round])); });
    return {{x.word[0].joined(), x.word[1].joined(), x.word[2].joined(), x.word[3].joined()}};
  } else {
    philox_block<bundle<words, n>> all;
    for (int part = 0; part < n; ++part, i += words::size) {
      std::uint32_t word[4][words::size];
      for (extent j = 0; j < words::size; ++j) {
        const auto one = from.k.block(i + static_cast<std::uint64_t>(j));
        for (int w = 0; w < 4; ++w) word[w][j] = one.word[w];
      }
      for (int w = 0; w < 4; ++w) all.word[w].part[part] = words::load(word[w]);
    }
    return all;
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
