#pragma once
// The counter-based generator Philox4x32-10. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011. A pure function: the same counter and key give the same words on any thread, rank or device.

#include <cstdint>

#include <ul/core/bits.hpp>
#include <ul/core/constant.hpp>

namespace ul {

// Four 32-bit words; with a SIMD pack as W, the words of as many blocks as it has lanes.
template <class W>
struct philox_block {
  W word[4];
};

// What is mixed in by round `round` under a 64-bit key, given as its low and high half.
struct philox_key {
  std::uint32_t low, high;

  UL_HD constexpr philox_key of_round(std::uint32_t round) const {
    return {low + round * 0x9E3779B9u, high + round * 0xBB67AE85u};
  }
};

// The factors of words 0 and 2 in every round.
inline constexpr std::uint32_t philox_left_factor = 0xD2511F53u, philox_right_factor = 0xCD9E8D57u;

template <class W>
UL_HD constexpr void philox_round(philox_block<W>& x, W key_low, W key_high) {
  const auto left = multiply_wide(philox_left_factor, x.word[0]);
  const auto right = multiply_wide(philox_right_factor, x.word[2]);
  x = {{right.high ^ x.word[1] ^ key_low, right.low, left.high ^ x.word[3] ^ key_high, left.low}};
}

// The random words at `counter` under that key.
template <class W>
UL_HD constexpr philox_block<W> philox4x32(philox_block<W> counter, std::uint32_t key_low, std::uint32_t key_high) {
  for (std::uint32_t round = 0; round < 10; ++round) {
    const philox_key k = philox_key{key_low, key_high}.of_round(round);
    philox_round(counter, W(k.low), W(k.high));
  }
  return counter;
}

}  // namespace ul
