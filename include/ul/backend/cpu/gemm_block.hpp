#pragma once
// One thread's share of a product: the loops over blocks that fit the caches, and the packing of what is not read in
// order. Blocks of k are the same for every share, so the shares may be cut anywhere.

#include <algorithm>
#include <cstring>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/gemm_tile.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/transposition.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Rows of a packed block of A (half the second-level cache) and columns of a packed block of B.
inline constexpr extent block_rows = tile_rows * (168 / tile_rows);
inline constexpr extent block_columns = 2048;

// A stored matrix, possibly of 16-bit elements, read as its transpose or not.
template <class In>
struct matrix {
  const In* data;
  extent stride;
  transpose layout;

  const In* at(extent row, extent column) const {
    return layout == transpose::no ? data + row * stride + column : data + column * stride + row;
  }
};

template <class In, class T>
UL_INLINE void widen(const In* from, T* to, extent n) {
  if constexpr (std::is_same_v<In, T>)
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  else
    for (extent i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

// Rows [row, row + rows) and columns [column, column + k) of A, as rows packed_stride apart.
template <class In, class T>
void pack_a(const matrix<In>& a, extent row, extent rows, extent column, extent k, T* to) {
  if (a.layout == transpose::yes) return transpose_block(a.at(row, column), a.stride, k, rows, to, packed_stride);
  for (extent i = 0; i < rows; ++i) widen(a.at(row + i, column), to + i * packed_stride, k);
}

// Rows [row, row + k) and columns [column, column + columns) of B, as panels of tile_columns, padded with zeros.
template <class In, class T>
void pack_b(const matrix<In>& b, extent row, extent k, extent column, extent columns, T* to) {
  constexpr extent width = tile_columns<T>;
  for (extent j = 0; j < columns; j += width, to += k * width) {
    const extent n = (std::min)(width, columns - j);
    if (n < width) std::fill(to, to + k * width, T{0});
    if (b.layout == transpose::yes)
      transpose_block(b.at(row, column + j), b.stride, n, k, to, width);
    else if (n == width)
      for (extent p = 0; p < k; ++p) widen(b.at(row + p, column + j), to + p * width, width);
    else
      for (extent p = 0; p < k; ++p) widen(b.at(row + p, column + j), to + p * width, n);
  }
}

template <class In, class T>
struct product {
  extent m, n, k;
  matrix<In> a, b;
  T* c;
  extent ldc;
  T alpha;
  bool add;
  epilogue<T> last;
};

// The number of pieces k is cut into, and where they begin.
inline extent depth_pieces(extent k) { return (std::max)(extent{1}, ceil_div(k, depth)); }

// Rows [row, row_end) and columns [column, column_end) of C.
template <class In, class T>
void multiply_share(memory_pool& memory, const product<In, T>& g, extent row, extent row_end, extent column,
                    extent column_end) {
  constexpr extent width = tile_columns<T>;
  constexpr bool same = std::is_same_v<In, T>;
  const extent pieces = depth_pieces(g.k), rows = row_end - row, columns = column_end - column;
  // Packing must pay: a matrix that is read in order, and not often, stays where it is.
  const bool direct_a = same && g.a.layout == transpose::no && (columns <= 8 * width || rows <= tile_rows);
  const bool direct_b = same && g.b.layout == transpose::no && (rows <= 2 * tile_rows);
  const extent strip = (std::min)(block_columns, ceil_div(columns, width) * width);
  const extent depth_here = ceil_div(g.k, pieces);
  const scratch<memory_pool, T> a_block(memory, direct_a ? 0 : (std::min)(block_rows, rows) * packed_stride);
  const scratch<memory_pool, T> b_block(memory, direct_b ? width * depth_here : strip * depth_here);

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j);
    for (extent piece = 0; piece < pieces; ++piece) {
      const extent p = g.k * piece / pieces, k = g.k * (piece + 1) / pieces - p;
      if (!direct_b) pack_b(g.b, p, k, j, n, b_block.data());
      for (extent i = row; i < row_end; i += block_rows) {
        const extent m = (std::min)(block_rows, row_end - i);
        if (!direct_a) pack_a(g.a, i, m, p, k, a_block.data());
        for (extent q = 0; q < n; q += width) {
          const extent tile = (std::min)(width, n - q);
          const T* b = b_block.data() + (direct_b ? 0 : q * k);
          extent ldb = width;
          if constexpr (same) {
            if (direct_b && tile == width) {
              b = g.b.at(p, j + q);
              ldb = g.b.stride;
            } else if (direct_b) {
              pack_b(g.b, p, k, j + q, tile, b_block.data());
            }
          }
          const tile_target<T> to{g.c + i * g.ldc + j + q, g.ldc, g.alpha, g.add || piece > 0};
          if (!direct_a)
            multiply_panel<T, true>(a_block.data(), packed_stride, b, ldb, k, to, m, tile);
          else if constexpr (same)
            multiply_panel<T, false>(g.a.at(i, p), g.a.stride, b, ldb, k, to, m, tile);
          if (piece + 1 == pieces && !g.last.empty()) g.last.from(j + q).apply(to.c, g.ldc, m, tile);
        }
      }
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
