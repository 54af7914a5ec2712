#pragma once
// What a tile does besides: its multiply-adds leave room for a load and a store or two at each step along k. A tile
// calls operator() with the row of B it has just read, and leaves the state for the tile that follows.

#include <algorithm>

#include <ul/backend/cpu/pack.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/core/checked.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Asks for memory that will be read soon: at `at`, and `step` bytes further each time; after `left` times, and then
// always after `run`, `jump` bytes further still. For nothing if `at` is null.
struct asking {
  const char* at = nullptr;
  extent step = 0, run = extent_max, jump = 0, left = run;

  // What a tile can do: with nothing to ask for, it asks for what it has in the cache.
  asking or_for(const void* cached) const { return at != nullptr ? *this : asking{static_cast<const char*>(cached)}; }

  template <class T, int P>
  UL_INLINE void operator()(const T*, const pack<T> (&)[P]) {
    __builtin_prefetch(at, 0, 2);
    at += step;
    if (--left > 0) return;
    at += jump;
    left = run;
  }
};

// Keeps the rows of B as a panel, and asks for those of the next panel.
template <class T>
struct packing {
  T* panel;

  template <int P>
  UL_INLINE void operator()(const T* b, const pack<T> (&row)[P]) {
    unroll<P>([&](auto j) __attribute__((always_inline)) {
      __builtin_prefetch(b + (P + j) * pack<T>::size, 0, 2);
      row[j].store(panel + j * pack<T>::size);
    });
    panel += P * pack<T>::size;
  }
};

// Copies rows of k elements, `stride` apart, to rows S apart, N packs each time.
template <class T, extent S, int N>
struct copying {
  const T* from;
  extent stride, rows, k;
  T* to;
  extent column = 0;

  static constexpr extent width = N * extent{pack<T>::size};

  // Whether so many steps are enough.
  bool fits(extent steps) const { return k >= width && rows * ceil_div(k, width) <= steps; }

  template <int P>
  UL_INLINE void operator()(const T*, const pack<T> (&)[P]) {
    if (rows == 0) return;
    const extent at = column < k - width ? column : k - width;
    unroll<N>([&](auto j) __attribute__((always_inline)) {
      pack<T>::load(from + at + j * pack<T>::size).store(to + at + j * pack<T>::size);
    });
    column += width;
    if (column < k) return;
    column = 0;
    from += stride;
    to += S;
    --rows;
  }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
