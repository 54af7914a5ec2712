#pragma once
// One thread's share of a product: the loops over blocks that fit the caches, and the packing of what is not read in
// order. Blocks of k are the same for every share, so the shares may be cut anywhere.

#include <algorithm>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Rows of a packed block of A (half the second-level cache) and columns of a packed block of B.
inline constexpr extent block_rows = tile_rows * (168 / tile_rows);
inline constexpr extent block_columns = 512;

// C = alpha * A B, or C += alpha * A B, then the epilogue. A and B are matrices or whatever packs like them.
template <class A, class B, class T>
struct product {
  extent m, n, k;
  A a;
  B b;
  T* c;
  extent ldc;
  T alpha;
  bool add;
  epilogue<T> last;
};

// The number of pieces k is cut into, and where they begin.
inline extent depth_pieces(extent k) { return (std::max)(extent{1}, ceil_div(k, tile_depth)); }

// A packed block of m rows of A times n columns of B: packed panels, or, if `in_place` is given, rows of B `stride`
// apart, of which only the last columns, which do not fill a tile, are packed.
template <class T>
void multiply_block(const T* a_block, extent m, extent k, const T* b_block, extent n, const T* in_place, extent stride,
                    const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  const auto at = [&](extent q) { return tile_target<T>{to.c + q, to.ldc, to.alpha, to.add}; };
  extent q = 0;
  if (in_place != nullptr) {
    if (m <= thin_rows)
      for (; q + thin_columns<T> <= n; q += thin_columns<T>) multiply_thin(a_block, in_place + q, stride, k, at(q), m);
    for (; q + width <= n; q += width) multiply_panel(a_block, in_place + q, stride, k, at(q), m, width);
  }
  for (; q < n; q += width, b_block += k * width)
    multiply_panel(a_block, b_block, width, k, at(q), m, (std::min)(width, n - q));
}

// Rows [row, row_end) and columns [column, column_end) of C.
template <class A, class B, class T>
void multiply_share(memory_pool& memory, const product<A, B, T>& g, extent row, extent row_end, extent column,
                    extent column_end) {
  constexpr extent width = tile_columns<T>;
  const extent pieces = depth_pieces(g.k), rows = row_end - row, columns = column_end - column;
  // A matrix that is read in order, and not often, need not be packed.
  const bool direct = rows <= 2 * tile_rows && g.b.template rows_in_place<T>(0, column) != nullptr;
  const extent strip = direct ? columns : (std::min)(block_columns, ceil_div(columns, width) * width);
  const scratch<memory_pool, T> a_block(memory, (std::min)(block_rows, rows) * packed_stride);
  const scratch<memory_pool, T> b_block(memory, (direct ? width : strip) * ceil_div(g.k, pieces));

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j), whole = direct ? n / width * width : 0;
    for (extent piece = 0; piece < pieces; ++piece) {
      const extent p = g.k * piece / pieces, k = g.k * (piece + 1) / pieces - p;
      const T* const in_place = direct ? g.b.template rows_in_place<T>(p, j) : nullptr;
      g.b.pack_panels(p, k, j + whole, n - whole, b_block.data(), k * width);
      for (extent i = row; i < row_end; i += block_rows) {
        const extent m = (std::min)(block_rows, row_end - i);
        g.a.pack_rows(i, m, p, k, a_block.data());
        const tile_target<T> to{g.c + i * g.ldc + j, g.ldc, g.alpha, g.add || piece > 0};
        multiply_block<T>(a_block.data(), m, k, b_block.data(), n, in_place, direct ? g.b.stride_in_place() : 0, to);
        if (piece + 1 == pieces && !g.last.empty()) g.last.from(j).apply(to.c, g.ldc, m, n);
      }
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
