#pragma once
// A product panel by panel: a block of rows of A stays in the second-level cache, and one panel of B in the first while
// the tiles of the block go past it. A step of a low tile reads almost three times as much of B as of A, so it is A
// that had better come from further away.

#include <algorithm>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_block.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/gemm_product.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Tiles of a block of rows, and columns and elements of a packed B that the blocks go past.
inline constexpr extent block_tiles = 16, panel_columns = 512, most_packed = extent{1} << 19;

// Whether so many rows and columns of C are worth it.
inline bool by_panels(extent rows, extent columns) { return low_tiles && rows >= 192 && columns >= 512; }

// The tiles of a block of rows from `row` on times one panel of `columns` columns, 0 < columns <= tile_columns. Tiles
// of full height are `tile` elements apart.
template <class T, extent S, transpose L>
void multiply_block_and_panel(const T* a, extent tile, extent row, extent rows, extent k, const T* panel,
                              extent columns, const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  for (extent height; row < rows; row += height) {
    height = tile_height(rows - row);
    const T* const rows_of_a = a + row / tile_rows * tile + row % tile_rows * S;
    asking ask{reinterpret_cast<const char*>(rows_of_a + tile), 64};
    if (height == tile_rows && columns == width)
      multiply_tile<T, tile_rows, tile_packs, S, L>(rows_of_a, panel, width, k, to, row, ask);
    else
      multiply_panel<T, S, L>(rows_of_a, panel, width, k, {to.c + row * to.ldc, to.ldc, to.alpha, to.add}, height,
                              columns, ask);
  }
}

// Rows [row, row_end) and columns [column, column_end) of C.
template <class Order, class A, class B, class T>
void multiply_by_panels(memory_pool& memory, const product<A, B, T>& g, extent row, extent row_end, extent column,
                        extent column_end) {
  constexpr extent width = tile_columns<T>, S = Order::stride, height = block_tiles * tile_rows;
  constexpr transpose L = Order::layout;
  constexpr bool across = L == transpose::yes;
  const extent pieces = g.a.pieces(g.k), columns = column_end - column;
  const extent tile = across ? ceil_div(g.k, pieces) * S + 64 / extent{sizeof(T)} : tile_rows * S;
  const extent strip = (std::min)(panel_columns, ceil_div(columns, width) * width);
  const bool in_order = g.b.template rows_in_place<T>(0, column) != nullptr;
  const extent depth = ceil_div(g.k, pieces);
  const extent at_once = std::clamp(most_packed / (std::max)(extent{1}, strip * depth), extent{1}, pieces);
  const scratch<memory_pool, T> a_block(memory, block_tiles * tile), b_block(memory, strip * depth * at_once);
  T* const a = a_block.data();
  const auto from = [&](extent piece) { return g.k * piece / pieces; };

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j), whole = in_order ? n / width * width : 0;
    for (extent start = 0; start < pieces; start += at_once)
      for (extent i = row; i < row_end; i += height)
        for (extent piece = start; piece < (std::min)(start + at_once, pieces); ++piece) {
          const extent p = from(piece), k = from(piece + 1) - p;
          const extent rows = (std::min)(height, row_end - i);
          if constexpr (across)
            g.a.pack_tiles(i, rows, p, k, a, tile, g.m);
          else
            g.a.pack_rows(i, rows, p, k, a, S);
          const tile_target<T> to{g.c + i * g.ldc + j, g.ldc, g.alpha, g.add || piece > 0};
          T* const b = b_block.data() + panel_size<T>(p - from(start), n);
          extent first = 0;  // rows that have packed the whole panels on their way
          if (i == row) {
            g.b.pack_panels(p, k, j + whole, n - whole, b + whole * k, k * width);
            const column_block<T> stored{b, whole, g.b.template rows_in_place<T>(p, j), g.b.stride_in_place()};
            if (whole > 0) first = tile_height(rows);
            if (whole > 0) multiply_and_pack<T, S, L>(a, first, k, stored, b, to);
          }
          for (extent q = 0; q < n; q += width)
            multiply_block_and_panel<T, S, L>(a, tile, q < whole ? first : 0, rows, k, b + q * k,
                                              (std::min)(width, n - q), {to.c + q, to.ldc, to.alpha, to.add});
          if (piece + 1 == pieces && !g.last.empty()) g.last.from(j).apply(to.c, g.ldc, rows, n);
        }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
