#pragma once
// Lanes of several packs, taken in turn.

#include <utility>

#include <ul/backend/cpu/pack_bits.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
// a and b interleaved: lane 2i is a[first + i], lane 2i + 1 is b[first + i].
template <int first, class Register, int... I>
UL_INLINE Register interleave(Register a, Register b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (first + I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
#endif
#endif

// a and b interleaved within each 16 bytes, where one cheap instruction does it.
template <int first, int width, class Register, int... I>
UL_INLINE Register interleave_within(Register a, Register b, std::integer_sequence<int, I...>) {
  constexpr int all = static_cast<int>(sizeof...(I));
  return __builtin_shufflevector(a, b, (I / width * width + first + I % width / 2 + I % 2 * all)...);
}

// The lower and the upper half of each 16 bytes of a and b, interleaved; of one lane, a and b.
template <class P>
struct interleaved {
  P low, high;
};
template <class T, int N>
UL_INLINE interleaved<pack<T, N>> interleave_within(pack<T, N> a, pack<T, N> b) {
  if constexpr (N == 1) {
    return {a, b};
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    const auto both = interleave_within(from_bits(a), from_bits(b));
    return {bits_of(both.low), bits_of(both.high)};
  } else {
    using batch = typename pack<T, N>::batch;
    using lanes = std::make_integer_sequence<int, N>;
    constexpr int width = 16 / static_cast<int>(sizeof(T));
    const typename batch::register_type x = a.native(), y = b.native();
    return {batch(interleave_within<0, width>(x, y, lanes{})),
            batch(interleave_within<width / 2, width>(x, y, lanes{}))};
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
