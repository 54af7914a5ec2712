#pragma once
// The microkernel: a tile of C in registers, as many rows and columns as leave room for one row of B and one element of
// A. Each element of C is one chain of multiply-adds along k, whatever the tile it falls into; so its bits depend on
// its own row and column alone.

#include <numeric>

#include <ul/backend/cpu/gemm_beside.hpp>
#include <ul/backend/cpu/gemm_shape.hpp>
#include <ul/backend/cpu/pack.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/backend/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Where a tile's result goes: C = alpha * sum, or C += alpha * sum. Handed on by reference: a copy would read what has
// just been written in other pieces, which waits for all stores before it, those of the last tile to C too.
template <class T>
struct tile_target {
  T* c;
  extent ldc;
  T alpha;
  bool add;
};

// Where row i of A begins: its rows are S apart in memory or, if that holds the transpose of A, its columns.
template <extent S, transpose L>
constexpr extent row_offset(extent i) {
  return L == transpose::no ? i * S : i;
}

// One tile of R rows and P packs of columns, for the target's rows from `row` on. `b` has rows `ldb` apart.
template <class T, int R, int P, extent S, transpose L = transpose::no, class Beside>
void multiply_tile(const T* a, const T* b, extent ldb, extent k, const tile_target<T>& to, extent row, Beside& work) {
  constexpr extent width = pack<T>::size;
  constexpr extent line = 64 / extent{sizeof(T)};
  constexpr int lines = (P * width + line - 1) / line;
  extent ldc = to.ldc;
  T* const c = to.c + row * ldc;
  pack<T> sum[R][P];
  unroll<R>([&](auto i) __attribute__((always_inline)) {
    // C is asked for now, so that it has come when the sums are ready.
    unroll<lines>([&](auto j) __attribute__((always_inline)) { __builtin_prefetch(c + i * ldc + j * line, 1); });
    unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j] = pack<T>(T{0}); });
  });
  Beside beside = work;
  const auto step = [&](extent p) __attribute__((always_inline)) {
    const T* const row_of_b = b + p * ldb;
    pack<T> y[P];
    unroll<P>([&](auto j) __attribute__((always_inline)) { y[j] = in_register(pack<T>::load(row_of_b + j * width)); });
    beside.with(row_of_b, y);
    unroll<R>([&](auto i) __attribute__((always_inline)) {
      const pack<T> x(a[row_offset<S, L>(i) + (L == transpose::no ? p : p * S)]);
      unroll<P>([&](auto j) __attribute__((always_inline)) { accumulate(sum[i][j], x, y[j]); });
    });
  };
  const auto advance = [&](extent steps) __attribute__((always_inline)) {
    a += L == transpose::no ? steps : steps * S;
    b += steps * ldb;
  };
  extent left = k;
  // Unrolled further, clang finds no registers for the sums.
#if defined(__clang__)
#pragma clang loop unroll(disable)
#endif
  for (; left >= tile_steps; left -= tile_steps, advance(tile_steps)) {
    beside.between();
    unroll<tile_steps>([&](auto p) __attribute__((always_inline)) { step(p); });
  }
  if (left > 0) beside.between();
#if defined(__clang__)
#pragma clang loop unroll(disable)
#endif
  for (; left > 0; --left, advance(1)) step(0);
  work = beside;
  // Where C's rows are is computed afresh: it would else be kept in memory meanwhile.
  __asm__("" : "+r"(ldc));
  if (to.alpha != 1)
    unroll<R>([&](auto i) __attribute__((always_inline)) {
      unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j] *= pack<T>(to.alpha); });
    });
  if (to.add)
    unroll<R>([&](auto i) __attribute__((always_inline)) {
      unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j] += pack<T>::load(c + i * ldc + j * width); });
    });
  unroll<R>([&](auto i) __attribute__((always_inline)) {
    unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j].store(c + i * ldc + j * width); });
  });
}

// The rows of the next tile when so many are left. Tiles of a few rows are slow, so the last rows are shared out among
// lower tiles where that leaves none over.
inline constexpr int low_tile_rows = tile_rows > 8 ? 8 : 4;
inline extent tile_height(extent left) {
  const bool low = left % low_tile_rows == 0 && left < std::lcm(tile_rows, low_tile_rows);
  return (std::min)(left, extent{low ? low_tile_rows : tile_rows});
}

// Tiles for any number of rows.
template <class T, int P, extent S, transpose L, int R = tile_rows, class Beside>
void multiply_rows(const T* a, const T* b, extent ldb, extent k, const tile_target<T>& to, extent rows, Beside& work,
                   extent row = 0) {
  constexpr int next = R > low_tile_rows ? low_tile_rows : R / 2;
  const auto fits = [](extent left) { return R < tile_rows ? left >= R : tile_height(left) == R; };
  for (; fits(rows - row); row += R) multiply_tile<T, R, P, S, L>(a + row_offset<S, L>(row), b, ldb, k, to, row, work);
  if constexpr (R > 1)
    if (row < rows) multiply_rows<T, P, S, L, next>(a, b, ldb, k, to, rows, work, row);
}

// A block of rows against one panel of B of 0 < columns <= tile_columns, padded to whole packs. Columns that do not
// fill packs take a way round through a tile of their own.
template <class T, extent S, transpose L, class Asking>
void multiply_panel(const T* a, const T* b, extent ldb, extent k, const tile_target<T>& to, extent rows, extent columns,
                    Asking& ask) {
  constexpr extent width = pack<T>::size;
  const auto multiply = [&](const T* from, const tile_target<T>& target, extent n) {
    if (columns > width)
      multiply_rows<T, 2, S, L>(from, b, ldb, k, target, n, ask);
    else
      multiply_rows<T, 1, S, L>(from, b, ldb, k, target, n, ask);
  };
  if (columns % width == 0) return multiply(a, to, rows);
  T tile[tile_rows * tile_columns<T>];
  for (extent row = 0; row < rows; row += tile_rows) {
    const extent n = rows - row < tile_rows ? rows - row : extent{tile_rows};
    multiply(a + row_offset<S, L>(row), {tile, tile_columns<T>, to.alpha, false}, n);
    for (extent i = 0; i < n; ++i)
      for (extent j = 0; j < columns; ++j) {
        T& c = to.c[(row + i) * to.ldc + j];
        c = to.add ? c + tile[i * tile_columns<T> + j] : tile[i * tile_columns<T> + j];
      }
  }
}

// A row or two against as many panels of an unpacked B as registers hold sums for: long reads, each of them once.
inline constexpr extent thin_rows = 4;
template <class T>
inline constexpr extent thin_columns = 8 * pack<T>::size;

template <class T, extent S, class Asking>
void multiply_thin(const T* a, const T* b, extent ldb, extent k, const tile_target<T>& to, extent rows, Asking& ask) {
  constexpr extent half = thin_columns<T> / 2;
  extent row = 0;
  for (; row + 2 <= rows; row += 2, a += 2 * S) {
    multiply_tile<T, 2, 4, S>(a, b, ldb, k, to, row, ask);
    multiply_tile<T, 2, 4, S>(a, b + half, ldb, k, {to.c + half, to.ldc, to.alpha, to.add}, row, ask);
  }
  if (row < rows) multiply_tile<T, 1, 8, S>(a, b, ldb, k, to, row, ask);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
