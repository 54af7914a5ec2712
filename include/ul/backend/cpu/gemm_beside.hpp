#pragma once
// What a tile does besides: its multiply-adds leave room for a load and a store or two at each step along k. A tile
// calls with() at each step, giving the row of B it has just read, and between() before every tile_steps steps and
// before the last few; it leaves the state for the tile that follows.

#include <algorithm>
#include <bit>

#include <ul/backend/cpu/gemm_shape.hpp>
#include <ul/backend/cpu/pack.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/core/checked.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Asks for memory that will be read soon: at `at`, and `step` bytes further each time. For nothing if `at` is null.
struct asking {
  const char* at = nullptr;
  extent step = 0;

  // What a tile can do: with nothing to ask for, it asks for what it has in the cache.
  asking or_for(const void* cached) const { return at != nullptr ? *this : asking{static_cast<const char*>(cached)}; }

  template <class T, int P>
  UL_INLINE void with(const T*, const pack<T> (&)[P]) {}
  UL_INLINE void between() {
    __builtin_prefetch(at, 0, 2);
    at += step;
  }
};

// The same row by row: after `left` times, and then always after `run`, `jump` bytes further still.
struct asking_for_rows {
  asking one;
  extent run = extent_max, jump = 0, left = run;

  asking_for_rows or_for(const void* cached) const { return {one.or_for(cached), run, jump, left}; }

  template <class T, int P>
  UL_INLINE void with(const T*, const pack<T> (&)[P]) {}
  UL_INLINE void between() {
    one.between();
    if (--left > 0) return;
    one.at += jump;
    left = run;
  }
};

// Keeps the rows of B as a panel, and asks for those of the next panel.
template <class T>
struct packing {
  T* panel;

  template <int P>
  UL_INLINE void with(const T* b, const pack<T> (&row)[P]) {
    unroll<P>([&](auto j) __attribute__((always_inline)) {
      __builtin_prefetch(b + (P + j) * pack<T>::size, 0, 2);
      row[j].store(panel + j * pack<T>::size);
    });
    panel += P * pack<T>::size;
  }
  UL_INLINE void between() {}
};

// Copies `rows` rows of k elements, `stride` apart, to rows S apart: `width` elements of `Rows` rows each time.
template <class T, extent S, int Rows, extent width>
struct copying {
  const T* from;
  extent stride, rows, k;
  T* to;
  extent column = 0;

  // Whether a tile of so many steps comes to the end.
  bool fits(extent steps) const {
    return k >= width && rows >= Rows && ceil_div(rows, Rows) * ceil_div(k, width) <= ceil_div(steps, tile_steps);
  }

  template <int P>
  UL_INLINE void with(const T*, const pack<T> (&)[P]) {}
  UL_INLINE void between() {
    if (rows == 0) return;
    const extent at = column < k - width ? column : k - width;
    unroll<Rows>([&](auto i) __attribute__((always_inline)) {
      unroll<width / pack<T>::size>([&](auto j) __attribute__((always_inline)) {
        const extent element = at + j * pack<T>::size;
        pack<T>::load(from + i * stride + element).store(to + i * S + element);
      });
    });
    column += width;
    if (column < k) return;
    column = 0;
    // The last rows, if they are fewer, with some before them once more.
    const extent done = rows >= 2 * Rows || rows == Rows ? extent{Rows} : rows - Rows;
    from += done * stride;
    to += done * S;
    rows -= done;
  }
};

// Rows of A, and columns of as many elements as a tile has rows, or a few more.
template <class T, extent S>
using copying_rows =
    copying<T, S, 1, (std::max)(extent{pack<T>::size}, extent{std::bit_ceil(unsigned{tile_rows * tile_steps})})>;
template <class T, extent S>
using copying_columns = copying<T, S, tile_steps, S>;

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
