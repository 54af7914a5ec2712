#pragma once
// The microkernel: a tile of C in registers, as many rows and columns as leave room for one row of B and one element of
// A. Each element of C is one chain of multiply-adds along k, whatever the tile it falls into; so its bits depend on
// its own row and column alone.

#include <ul/backend/cpu/pack.hpp>
#include <ul/backend/cpu/unroll.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// 32 registers hold 14 x 2 packs of C, 16 registers 6 x 2.
#if defined(__AVX512F__)
inline constexpr int tile_rows = 14;
#elif defined(__aarch64__)
inline constexpr int tile_rows = 12;
#else
inline constexpr int tile_rows = 6;
#endif
inline constexpr int tile_packs = 2;

template <class T>
inline constexpr extent tile_columns = tile_packs* pack<T>::size;

// The longest piece of k that is summed in registers: one panel of B stays in the first-level cache.
inline constexpr extent depth = 256;
// The distance between rows of a packed block of A; not a power of two, so that rows fall into different cache sets.
inline constexpr extent packed_stride = depth + 16;

// Where a tile's result goes: C = alpha * sum, or C += alpha * sum.
template <class T>
struct tile_target {
  T* c;
  extent ldc;
  T alpha;
  bool add;
};

// One tile of R rows and `columns` columns, which take P packs. `a` has rows `lda` apart (packed_stride apart if
// Packed), `b` rows `ldb` apart, padded to whole packs.
template <class T, int R, int P, bool Packed>
void multiply_tile(const T* a, extent lda, const T* b, extent ldb, extent k, const tile_target<T>& to, extent columns) {
  constexpr extent width = pack<T>::size;
  if constexpr (Packed) lda = packed_stride;
  pack<T> sum[R][P];
  unroll<R>([&](auto i) __attribute__((always_inline)) {
    unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j] = pack<T>(T{0}); });
  });
  for (extent p = 0; p < k; ++p, b += ldb) {
    pack<T> y[P];
    unroll<P>([&](auto j) __attribute__((always_inline)) { y[j] = pack<T>::load(b + j * width); });
    unroll<R>([&](auto i) __attribute__((always_inline)) {
      const pack<T> x(a[i * lda + p]);
      unroll<P>([&](auto j) __attribute__((always_inline)) { sum[i][j] = muladd(x, y[j], sum[i][j]); });
    });
  }
  const pack<T> alpha(to.alpha);
  const extent last = columns - (P - 1) * width;
  unroll<R>([&](auto i) __attribute__((always_inline)) {
    unroll<P>([&](auto j) __attribute__((always_inline)) {
      T* const c = to.c + i * to.ldc + j * width;
      const pack<T> x = alpha * sum[i][j];
      if (j + 1 < P || last == width)
        (to.add ? x + pack<T>::load(c) : x).store(c);
      else
        (to.add ? x + pack<T>::load_first(c, last) : x).store_first(c, last);
    });
  });
}

// Tiles for any number of rows, the largest first.
template <class T, int P, bool Packed, int R = tile_rows>
void multiply_rows(const T* a, extent lda, const T* b, extent ldb, extent k, tile_target<T> to, extent rows,
                   extent columns) {
  constexpr int next = R > 8 ? 8 : R > 4 ? 4 : R / 2;
  for (; rows >= R; rows -= R, a += R * lda, to.c += R * to.ldc)
    multiply_tile<T, R, P, Packed>(a, lda, b, ldb, k, to, columns);
  if constexpr (R > 1)
    if (rows > 0) multiply_rows<T, P, Packed, next>(a, lda, b, ldb, k, to, rows, columns);
}

// A block of rows against one panel of B.
template <class T, bool Packed>
void multiply_panel(const T* a, extent lda, const T* b, extent ldb, extent k, const tile_target<T>& to, extent rows,
                    extent columns) {
  if (columns > pack<T>::size)
    multiply_rows<T, 2, Packed>(a, lda, b, ldb, k, to, rows, columns);
  else
    multiply_rows<T, 1, Packed>(a, lda, b, ldb, k, to, rows, columns);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
