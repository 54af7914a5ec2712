#pragma once
// One thread's share of a product: the loops over blocks that fit the caches, and the packing of what is not read in
// order. Blocks of k are the same for every share, so the shares may be cut anywhere.

#include <algorithm>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_ahead.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Columns of a packed block of B, which stays in the second-level cache while rows of A go past it.
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

// A packed block of m rows of A, S apart or transposed, times n columns of B: packed panels, or, if `in_place` is
// given, rows of B `stride` apart, of which only the last columns, which do not fill a tile, are packed.
template <class T, extent S, transpose L = transpose::no>
void multiply_block(const T* a_block, extent m, extent k, const T* b_block, extent n, const T* in_place, extent stride,
                    const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  const auto at = [&](extent q) {
    const char* const ahead = to.ahead == nullptr ? nullptr : to.ahead + q / width * k * to.ahead_step;
    return tile_target<T>{to.c + q, to.ldc, to.alpha, to.add, ahead, to.ahead_step};
  };
  extent q = 0;
  if (in_place != nullptr) {
    if (L == transpose::no && m <= thin_rows)
      for (; q + thin_columns<T> <= n; q += thin_columns<T>)
        multiply_thin<T, S>(a_block, in_place + q, stride, k, at(q), m);
    for (; q + width <= n; q += width) multiply_panel<T, S, L>(a_block, in_place + q, stride, k, at(q), m, width);
  }
  for (; q < n; q += width, b_block += k * width)
    multiply_panel<T, S, L>(a_block, b_block, width, k, at(q), m, (std::min)(width, n - q));
}

// A tile of rows of A times the first columns, whole tiles, of the rows of B at `b`, which leaves them packed for the
// tiles that follow; then times the panels of the last columns.
template <class T, extent S>
void multiply_and_pack(const T* a_block, extent k, const T* b, extent stride, T* panels, extent n,
                       const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  extent q = 0;
  for (; q + width <= n; q += width)
    multiply_tile<T, tile_rows, tile_packs, S, transpose::no, true>(
        a_block, b + q, stride, k, {to.c + q, to.ldc, to.alpha, to.add, nullptr, 0, panels + q * k});
  if (q < n)
    multiply_panel<T, S>(a_block, panels + q * k, width, k, {to.c + q, to.ldc, to.alpha, to.add}, tile_rows, n - q);
}

// Rows [row, row_end) and columns [column, column_end) of C. Rows of A are packed a few at a time and go past a block
// of B tile by tile, so that they and their rows of C stay in the first-level cache.
template <class A, class B, class T>
void multiply_share(memory_pool& memory, const product<A, B, T>& g, extent row, extent row_end, extent column,
                    extent column_end) {
  constexpr extent width = tile_columns<T>;
  const extent pieces = g.a.pieces(g.k), rows = row_end - row, columns = column_end - column;
  // A matrix that is read in order need not be packed if it is not read often; else the first tile packs it on its way.
  const bool in_order = g.b.template rows_in_place<T>(0, column) != nullptr;
  const bool direct = in_order && rows <= 2 * tile_rows;
  const extent group = (std::min)(rows, g.a.rows_at_once(rows, pieces));
  const bool again = group < rows;  // a block of B is needed for several groups
  const extent strip = direct ? columns : (std::min)(block_columns, ceil_div(columns, width) * width);
  const scratch<memory_pool, T> a_block(memory, group * long_stride);
  const scratch<memory_pool, T> b_block(memory, (direct ? width : strip) * (again ? g.k : ceil_div(g.k, pieces)));

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j), whole = in_order ? n / width * width : 0;
    const extent panels = ceil_div(n, width);
    for (extent i = row; i < row_end; i += group) {
      const extent m = (std::min)(group, row_end - i), tiles = ceil_div(m, tile_rows), next = i + m;
      look_ahead ahead(g.a.memory_of_rows(next, (std::min)(next + group, row_end)), {}, tiles * panels * g.k);
      for (extent piece = 0; piece < pieces; ++piece) {
        const extent p = g.k * piece / pieces, p_end = g.k * (piece + 1) / pieces, k = p_end - p;
        const extent packed = direct ? 0 : whole;  // by the first tile
        T* const b = b_block.data() + (again ? panel_size<T>(p, n - whole + packed) : 0);
        const T* const in_place = g.b.template rows_in_place<T>(p, j);
        if (i == row) g.b.pack_panels(p, k, j + whole, n - whole, b + packed * k, k * width);
        g.a.pack_rows(i, m, p, k, a_block.data(), long_stride);
        if (!again) {
          const extent last = (std::min)(g.k, p_end + k);
          ahead = look_ahead(g.a.memory_of_sums(p_end, last, transpose::yes),
                             g.b.memory_of_sums(p_end, last, transpose::no), tiles * panels * k);
        }
        for (extent t = 0; t < m; t += tile_rows) {
          const T* const a = a_block.data() + t * long_stride;
          const tile_target<T> to{g.c + (i + t) * g.ldc + j, g.ldc,       g.alpha, g.add || piece > 0,
                                  ahead.take(panels * k),    ahead.step()};
          if (packed > 0 && i == row && t == 0)
            multiply_and_pack<T, long_stride>(a, k, in_place, g.b.stride_in_place(), b, n, to);
          else
            multiply_block<T, long_stride>(a, (std::min)(extent{tile_rows}, m - t), k, b, n,
                                           direct ? in_place : nullptr, g.b.stride_in_place(), to);
        }
      }
      if (!g.last.empty()) g.last.from(j).apply(g.c + i * g.ldc + j, g.ldc, m, n);
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
