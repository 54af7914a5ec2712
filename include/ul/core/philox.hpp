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

// The random words at `counter` under a 64-bit key given as its low and high half.
template <class W>
UL_HD constexpr philox_block<W> philox4x32(philox_block<W> counter, std::uint32_t key_low, std::uint32_t key_high) {
  W a = counter.word[0], b = counter.word[1], c = counter.word[2], d = counter.word[3];
  for (int round = 0; round < 10; ++round) {
    const auto left = multiply_wide(0xD2511F53u, a);
    const auto right = multiply_wide(0xCD9E8D57u, c);
    a = right.high ^ b ^ W(key_low);
    b = right.low;
    c = left.high ^ d ^ W(key_high);
    d = left.low;
    key_low += 0x9E3779B9u;
    key_high += 0xBB67AE85u;
  }
  return {{a, b, c, d}};
}

}  // namespace ul
