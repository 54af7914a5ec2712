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

// a and b interleaved: low[2i] = a[i], low[2i + 1] = b[i], and so on into high.
template <class P>
struct interleaved {
  P low, high;
};
template <class T, int N>
UL_INLINE interleaved<pack<T, N>> interleave_all(pack<T, N> a, pack<T, N> b) {
  if constexpr (N == 1) {
    return {a, b};
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    const auto both = interleave_all(from_bits(a), from_bits(b));
    return {bits_of(both.low), bits_of(both.high)};
  } else {
    using batch = typename pack<T, N>::batch;
    using lanes = std::make_integer_sequence<int, N>;
    const typename batch::register_type x = a.native(), y = b.native();
    return {batch(interleave<0>(x, y, lanes{})), batch(interleave<N / 2>(x, y, lanes{}))};
  }
}

// a[0], b[0], c[0], d[0], a[1] ... to `to`.
template <class T, int N>
UL_INLINE void store_interleaved(pack<T, N> a, pack<T, N> b, pack<T, N> c, pack<T, N> d, T* to) {
  const auto even = interleave_all(a, c), odd = interleave_all(b, d);
  const auto first = interleave_all(even.low, odd.low), last = interleave_all(even.high, odd.high);
  first.low.store(to);
  first.high.store(to + N);
  last.low.store(to + 2 * N);
  last.high.store(to + 3 * N);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
