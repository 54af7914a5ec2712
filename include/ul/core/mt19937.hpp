#pragma once
// The Mersenne Twister. Matsumoto and Nishimura, ACM TOMACS 8(1), 1998; the ISO C++ standard's std::mt19937. Only for
// replaying the random numbers of other programs: the library's own are keys (key.hpp).

#include <cstdint>

namespace ul {

class mt19937 {
 public:
  explicit constexpr mt19937(std::uint32_t seed = 5489) {
    state_[0] = seed;
    for (std::uint32_t i = 1; i < length; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  }

  // The next 32-bit word.
  constexpr std::uint32_t operator()() {
    if (position_ == length) advance();
    std::uint32_t y = state_[position_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }

 private:
  static constexpr std::uint32_t length = 624, middle = 397;

  constexpr void advance() {
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % length] & 0x7fffffffu);
      state_[i] = state_[(i + middle) % length] ^ (y >> 1) ^ (y & 1u ? 0x9908b0dfu : 0u);
    }
    position_ = 0;
  }

  std::uint32_t state_[length] = {};
  std::uint32_t position_ = length;
};

}  // namespace ul
