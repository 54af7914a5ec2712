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

// A packed block of m rows of A times n columns of B from `column` on. If `direct`, B is read where it stands, and only
// a last panel that does not fill a tile goes through b_block.
template <class In, class T>
void multiply_block(const matrix<In>& b, extent row, extent k, extent column, extent n, extent m, const T* a_block,
                    T* b_block, bool direct, const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  const auto at = [&](extent q) { return tile_target<T>{to.c + q, to.ldc, to.alpha, to.add}; };
  extent q = 0;
  if constexpr (std::is_same_v<In, T>) {
    const T* const rows = b.at(row, column);
    if (direct && m <= thin_rows)
      for (; q + thin_columns<T> <= n; q += thin_columns<T>) multiply_thin(a_block, rows + q, b.stride, k, at(q), m);
    if (direct)
      for (; q + width <= n; q += width) multiply_panel(a_block, rows + q, b.stride, k, at(q), m, width);
    if (direct && q < n) pack_b(b, row, k, column + q, n - q, b_block);
  }
  for (; q < n; q += width)
    multiply_panel<T>(a_block, b_block + (direct ? 0 : q * k), width, k, at(q), m, (std::min)(width, n - q));
}

// Rows [row, row_end) and columns [column, column_end) of C.
template <class In, class T>
void multiply_share(memory_pool& memory, const product<In, T>& g, extent row, extent row_end, extent column,
                    extent column_end) {
  constexpr extent width = tile_columns<T>;
  const extent pieces = depth_pieces(g.k), rows = row_end - row, columns = column_end - column;
  // A matrix that is read in order, and not often, need not be packed.
  const bool direct = std::is_same_v<In, T> && g.b.layout == transpose::no && rows <= 2 * tile_rows;
  const extent strip = direct ? columns : (std::min)(block_columns, ceil_div(columns, width) * width);
  const scratch<memory_pool, T> a_block(memory, (std::min)(block_rows, rows) * packed_stride);
  const scratch<memory_pool, T> b_block(memory, (direct ? width : strip) * ceil_div(g.k, pieces));

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j);
    for (extent piece = 0; piece < pieces; ++piece) {
      const extent p = g.k * piece / pieces, k = g.k * (piece + 1) / pieces - p;
      if (!direct) pack_b(g.b, p, k, j, n, b_block.data());
      for (extent i = row; i < row_end; i += block_rows) {
        const extent m = (std::min)(block_rows, row_end - i);
        pack_a(g.a, i, m, p, k, a_block.data());
        const tile_target<T> to{g.c + i * g.ldc + j, g.ldc, g.alpha, g.add || piece > 0};
        multiply_block(g.b, p, k, j, n, m, a_block.data(), b_block.data(), direct, to);
        if (piece + 1 == pieces && !g.last.empty()) g.last.from(j).apply(to.c, g.ldc, m, n);
      }
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
