#pragma once
// Keys instead of generators. A key names an infinite stream of random words with random access; new keys are derived
// from it by what the numbers are for (step, sample, use), so noise depends on no order of calls, thread or rank.

#include <cstdint>

#include <ul/core/philox.hpp>

namespace ul {

struct key {
  std::uint64_t bits = 0;

  constexpr key() = default;
  UL_HD constexpr explicit key(std::uint64_t seed) : bits(seed) {}

  // Words 4i to 4i + 3 of the stream: the Philox block at counter (low i, high i, 0, 0).
  UL_HD constexpr philox_block<std::uint32_t> block(std::uint64_t i) const { return at(i, 0); }

  // The key for one datum: a step, a sample's number, a layer. Chains: root.fold_in(step).fold_in(sample).
  UL_HD constexpr key fold_in(std::uint64_t datum) const { return derive(datum, 1); }

  // The i-th of several keys for separate uses in one place; never one of fold_in's.
  UL_HD constexpr key split(std::uint64_t i) const { return derive(i, 2); }

  friend constexpr bool operator==(key, key) = default;

 private:
  // The third counter word keeps a key's own words and its children apart.
  UL_HD constexpr philox_block<std::uint32_t> at(std::uint64_t i, std::uint32_t purpose) const {
    return philox4x32<std::uint32_t>({{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), purpose, 0}},
                                     static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32));
  }
  UL_HD constexpr key derive(std::uint64_t i, std::uint32_t purpose) const {
    const auto words = at(i, purpose);
    return key(std::uint64_t{words.word[1]} << 32 | words.word[0]);
  }
};

namespace detail {

// The random word behind number i of a stream: 32 bits for a float, four to a block; 64 for a double, two to a block.
template <class T>
struct stream;
template <>
struct stream<float> {
  using word = std::uint32_t;
  static constexpr int per_block = 4;
  UL_HD static constexpr word get(const philox_block<std::uint32_t>& b, int lane) { return b.word[lane]; }
};
template <>
struct stream<double> {
  using word = std::uint64_t;
  static constexpr int per_block = 2;
  UL_HD static constexpr word get(const philox_block<std::uint32_t>& b, int lane) {
    return word{b.word[2 * lane + 1]} << 32 | b.word[2 * lane];
  }
};

}  // namespace detail

}  // namespace ul
