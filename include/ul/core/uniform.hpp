#pragma once
// Uniform numbers from random words: the upper 24 bits of a 32-bit word make a float, the upper 53 of a 64-bit word a
// double. Exact arithmetic only: the same bits everywhere, for scalars and SIMD packs.

#include <ul/core/key.hpp>

namespace ul {

namespace detail {

template <class U>
inline constexpr bool narrow = sizeof(value_t<U>) == 4;

}  // namespace detail

// A word (std::uint32_t, std::uint64_t or a pack of them) -> a multiple of 2^-24 or 2^-53 in [0, 1).
template <class U>
UL_HD constexpr auto uniform(U word) {
  const auto n = to_number(shift_right(word, detail::narrow<U> ? 8 : 11));
  return n * constant<decltype(to_number(word))>(detail::narrow<U> ? 0x1p-24 : 0x1p-53);
}

// The same, moved up by one step: (0, 1], for logarithms.
template <class U>
UL_HD constexpr auto uniform_positive(U word) {
  const double step = detail::narrow<U> ? 0x1p-24 : 0x1p-53;
  return uniform(word) + constant<decltype(to_number(word))>(step);
}

// Number i of the stream of k, in [0, 1). A float takes word i % 4 of block i / 4; a double words 2 (i % 2) (low) and
// 2 (i % 2) + 1 (high) of block i / 2.
template <class T>
UL_HD constexpr T uniform_at(key k, std::uint64_t i) {
  using stream = detail::stream<T>;
  return uniform(stream::get(k.block(i / stream::per_block), static_cast<int>(i % stream::per_block)));
}

}  // namespace ul
