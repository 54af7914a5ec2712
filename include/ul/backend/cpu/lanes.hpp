#pragma once
// Loops over n numbers in packs. The body is compiled twice: for whole packs, whose number of lanes is a constant, and
// for the first lanes of a last one.

#include <type_traits>

#include <ul/backend/cpu/pack.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class T>
using all_lanes = std::integral_constant<extent, pack<T>::size>;

template <class T, class Lanes>
UL_INLINE pack<T> read(const T* p, Lanes lanes) {
  if constexpr (std::is_same_v<Lanes, all_lanes<T>>)
    return pack<T>::load(p);
  else
    return pack<T>::load_first(p, lanes);
}
template <class T, class Lanes>
UL_INLINE void write(pack<T> x, T* p, Lanes lanes) {
  if constexpr (std::is_same_v<Lanes, all_lanes<T>>)
    x.store(p);
  else
    x.store_first(p, lanes);
}

// What stands at p, or the default where there is no p.
template <class T, class Lanes>
UL_INLINE pack<T> read_or(T otherwise, const T* p, extent at, Lanes lanes) {
  return p == nullptr ? pack<T>(otherwise) : read(p + at, lanes);
}

// Replaces what stands at p, or adds to it.
template <class T, class Lanes>
UL_INLINE void write_or_add(pack<T> x, T* p, bool add, Lanes lanes) {
  write(add ? x + read(p, lanes) : x, p, lanes);
}

// body(i, lanes) for i = 0, size, 2 size ... below n.
template <class T, class Body>
UL_INLINE void for_packs(extent n, const Body& body) {
  extent i = 0;
  for (; i + pack<T>::size <= n; i += pack<T>::size) body(i, all_lanes<T>{});
  if (i < n) body(i, n - i);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
