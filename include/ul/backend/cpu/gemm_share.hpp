#pragma once
// One thread's share of a product: the loops over blocks that fit the caches, and the packing of what is not read in
// order. Blocks of k are the same for every share, so the shares may be cut anywhere.

#include <algorithm>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_block.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/gemm_panels.hpp>
#include <ul/backend/cpu/gemm_product.hpp>
#include <ul/backend/cpu/gemm_rows.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Columns of a packed block of B, which stays in the second-level cache while rows of A go past it: few where those are
// copied as they lie, many where it costs time to have them once more, packed or picked from where they stand across.
inline constexpr extent copied_block_columns = 256, block_columns = 512;
// A matrix B, in bytes, that stays in the second-level cache as it is stored, and the rows of A for which it is not
// packed: more repay that, and a packed B is as fast wherever it is stored.
inline constexpr extent small_matrix = extent{256} << 10, few_rows = 512;

// Rows [row, row_end) and columns [column, column_end) of C. Rows of A are packed a few at a time and go past a block
// of B tile by tile, so that they and their rows of C stay in the first-level cache.
template <class A, class B, class T>
void multiply_share(memory_pool& memory, const product<A, B, T>& g, extent row, extent row_end, extent column,
                    extent column_end) {
  if (by_panels(row_end - row, column_end - column)) {
    if constexpr (A::may_stand_across)
      if (g.a.across())
        return multiply_by_panels<packing_order<across_stride<T>, transpose::yes>>(memory, g, row, row_end, column,
                                                                                 column_end);
    return multiply_by_panels<packing_order<long_stride, transpose::no>>(memory, g, row, row_end, column, column_end);
  }
  constexpr extent width = tile_columns<T>;
  const extent pieces = g.a.pieces(g.k), rows = row_end - row, columns = column_end - column;
  packed_rows<A, T> a_rows(memory, g.a, row, row_end, g.k);
  const extent group = a_rows.group();
  const bool again = group < rows;  // a block of B is needed for several groups
  // A matrix that is read in order need not be packed if few rows go past it; else the first tile packs it on its way.
  const bool in_order = g.b.template rows_in_place<T>(0, column) != nullptr;
  const bool small = rows <= few_rows && columns * g.k * extent{sizeof(T)} <= small_matrix;
  const bool direct = in_order && (rows <= 2 * tile_rows || small);
  const extent most = a_rows.copied() && !g.a.across() ? copied_block_columns : block_columns;
  const extent strip = direct ? columns : (std::min)(most, ceil_div(columns, width) * width);
  const scratch<memory_pool, T> b_block(memory, (direct ? width : strip) * (again ? g.k : ceil_div(g.k, pieces)));

  for (extent j = column; j < column_end; j += strip) {
    const extent n = (std::min)(strip, column_end - j), whole = in_order ? n / width * width : 0;
    const extent packed = direct ? 0 : whole;  // by the first tile
    const extent asking_panels = (std::max)(extent{1}, a_rows.copied() ? n / width - 1 : ceil_div(n, width));
    for (extent i = row; i < row_end; i += group) {
      const extent end = (std::min)(i + group, row_end);
      for (extent piece = 0; piece < pieces; ++piece) {
        const extent p = g.k * piece / pieces, p_end = g.k * (piece + 1) / pieces, k = p_end - p;
        T* const b = b_block.data() + (again ? panel_size<T>(p, n - whole + packed) : 0);
        if (i == row) g.b.pack_panels(p, k, j + whole, n - whole, b + packed * k, k * width);
        const column_block<T> in_place{b, n, g.b.template rows_in_place<T>(p, j), g.b.stride_in_place()};
        const column_block<T> block = direct ? in_place : column_block<T>{b, n};
        a_rows.start(i, piece);
        const extent last = (std::min)(g.k, p_end + k), times = asking_panels * (k / tile_steps);
        look_ahead sums(g.b.memory_of_sums(p_end, last), {}, ceil_div(end - i, tile_rows) * times);
        for (extent r = i, height; r < end; r += height) {
          height = tile_height(end - r);
          const T* const a = a_rows.tile_at(r);
          const tile_target<T> to{g.c + r * g.ldc + j, g.ldc, g.alpha, g.add || piece > 0};
          const bool packs = packed > 0 && r == row;
          const asking_for_rows ahead = packs                                  ? asking_for_rows{}
                                        : again || pieces == 1 || g.a.across() ? a_rows.ask_for_next(times)
                                                                               : asking_for_rows{sums.take(times)};
          const auto multiply = [&](auto order, const auto& filling) {
            constexpr extent S = order.stride;
            constexpr transpose L = order.layout;
            if (packs)
              multiply_and_pack<T, S, L>(a, height, k, in_place, b, to);
            else
              a_rows.set_filled(multiply_block<T, S, L>(a, height, k, block, to, ahead, filling));
          };
          if constexpr (A::may_stand_across)
            if (g.a.across()) multiply(packing_order<across_stride<T>, transpose::yes>{}, a_rows.filling_of_columns());
          if (!g.a.across()) multiply(packing_order<long_stride, transpose::no>{}, a_rows.filling_of_rows());
          if (piece + 1 == pieces && !g.last.empty()) g.last.from(j).apply(g.c + r * g.ldc + j, g.ldc, height, n);
        }
      }
    }
  }
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
