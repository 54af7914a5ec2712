#pragma once
// The bits of numbers. Code that must give the same bits on a scalar, a SIMD pack and a device reaches them only
// through these eight functions and the operators + - & | ^; a pack brings overloads of its own, found through its
// namespace: number packs N (float, double) beside unsigned packs U of the same lane width.

#include <bit>
#include <cstdint>

#include <ul/core/config.hpp>

namespace ul {

// U bits_of(N): the representation of each lane.
UL_HD constexpr std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
UL_HD constexpr std::uint64_t bits_of(double x) { return std::bit_cast<std::uint64_t>(x); }

// N from_bits(U): the inverse of bits_of.
UL_HD constexpr float from_bits(std::uint32_t u) { return std::bit_cast<float>(u); }
UL_HD constexpr double from_bits(std::uint64_t u) { return std::bit_cast<double>(u); }

// N to_number(U): the value of each lane, exactly; for lanes below 2^24 (float) or 2^53 (double).
UL_HD constexpr float to_number(std::uint32_t u) { return static_cast<float>(static_cast<std::int32_t>(u)); }
UL_HD constexpr double to_number(std::uint64_t u) { return static_cast<double>(static_cast<std::int64_t>(u)); }

// U shift_left(U, n), shift_right(U, n): the logical shifts, 0 <= n < the width of a lane.
UL_HD constexpr std::uint32_t shift_left(std::uint32_t u, int n) { return u << n; }
UL_HD constexpr std::uint64_t shift_left(std::uint64_t u, int n) { return u << n; }
UL_HD constexpr std::uint32_t shift_right(std::uint32_t u, int n) { return u >> n; }
UL_HD constexpr std::uint64_t shift_right(std::uint64_t u, int n) { return u >> n; }

// N signed_from_bit(U, n): bits n and up of each lane as a number with a sign, exactly; for n >= 8 (float) or 12
// (double).
UL_HD constexpr float signed_from_bit(std::uint32_t u, int n) {
  return static_cast<float>(static_cast<std::int32_t>(u) >> n);
}
UL_HD constexpr double signed_from_bit(std::uint64_t u, int n) {
  return static_cast<double>(static_cast<std::int64_t>(u) >> n);
}

// N select_by_bit(U u, n, N a, N b): a where bit n of u is set, b elsewhere.
UL_HD constexpr float select_by_bit(std::uint32_t u, int n, float a, float b) { return u >> n & 1 ? a : b; }
UL_HD constexpr double select_by_bit(std::uint64_t u, int n, double a, double b) { return u >> n & 1 ? a : b; }

// multiply_wide(std::uint32_t, U): both halves of the 64-bit product, for 32-bit lanes.
template <class U>
struct wide_product {
  U high, low;
};
UL_HD constexpr wide_product<std::uint32_t> multiply_wide(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

}  // namespace ul
