#pragma once
// A stored matrix as an operand of the blocked product: how its blocks are packed. Any type with these members can
// stand in its place (see conv_patches.hpp).

#include <algorithm>
#include <type_traits>

#include <ul/backend/cpu/gemm_ahead.hpp>
#include <ul/backend/cpu/gemm_tile.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/transposition.hpp>
#include <ul/backend/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class In, class T>
UL_INLINE void widen(const In* from, T* to, extent n) {
  if constexpr (std::is_same_v<In, T>)
    for_packs<T>(n, [&](extent i, auto lanes) { write(read(from + i, lanes), to + i, lanes); });
  else
    for (extent i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

template <extent n, class In, class T>
UL_INLINE void widen_all(const In* from, T* to) {
  if constexpr (std::is_same_v<In, T>)
    for (extent i = 0; i < n; i += pack<T>::size) pack<T>::load(from + i).store(to + i);
  else
    for (extent i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

// Elements that `rows` packed as panels of a right operand take up.
template <class T>
constexpr extent panel_size(extent rows, extent columns) {
  return rows * ceil_div(columns, tile_columns<T>) * tile_columns<T>;
}

// The number of pieces k is cut into; piece i begins at k * i / pieces.
inline extent depth_pieces(extent k, extent most) { return (std::max)(extent{1}, ceil_div(k, most)); }

// How many rows of a left operand are packed together, so that its pieces do not bring rows of C back too often.
inline extent tiles_at_once(extent pieces) { return (pieces == 1 ? 1 : 8) * tile_rows; }

// A transposed left operand is packed whole, or cut into few parts, one short piece of k after the other: then a piece
// is all in one place in memory.
inline constexpr extent transposed_depth = 192, transposed_rows = tile_rows * (560 / tile_rows);

// Elements may have 16 bits; blocks are packed as the T of the product. Read as its transpose or not.
template <class In>
struct matrix {
  const In* data;
  extent stride;
  transpose layout;

  const In* at(extent row, extent column) const {
    return layout == transpose::no ? data + row * stride + column : data + column * stride + row;
  }

  // As the left operand: the pieces of k, and how many of `rows` rows to pack at once.
  extent pieces(extent k) const { return depth_pieces(k, layout == transpose::yes ? transposed_depth : long_depth); }
  extent rows_at_once(extent rows, extent pieces) const {
    if (layout == transpose::no) return tiles_at_once(pieces);
    return ceil_div(rows, ceil_div(rows, transposed_rows) * tile_rows) * tile_rows;
  }

  // What lies from p to p_end along k, if `across` says how that stands in one place.
  memory_range memory_of_sums(extent p, extent p_end, transpose across) const {
    return layout == across ? stored(p, p_end) : memory_range{};
  }

  // As the left operand: rows [row, row + rows) and columns [column, column + k), as rows `distance` apart.
  template <class T>
  void pack_rows(extent row, extent rows, extent column, extent k, T* to, extent distance) const {
    if (layout == transpose::yes) return transpose_block(at(row, column), stride, k, rows, to, distance);
    for (extent i = 0; i < rows; ++i) widen(at(row + i, column), to + i * distance, k);
  }

  // As the right operand: rows [row, row + k) and columns [column, column + columns) as panels of tile_columns, padded
  // with zeros, panels `panel` elements apart.
  template <class T>
  void pack_panels(extent row, extent k, extent column, extent columns, T* to, extent panel) const {
    constexpr extent width = tile_columns<T>;
    const extent whole = columns / width * width;
    T* const last = to + columns / width * panel;
    if (whole < columns) std::fill(last, last + k * width, T{0});
    if (layout == transpose::yes) {
      for (extent j = 0; j < columns; j += width, to += panel)
        transpose_block(at(row, column + j), stride, (std::min)(width, columns - j), k, to, width);
      return;
    }
    // Along rows, as they are stored.
    for (extent p = 0; p < k; ++p) {
      const In* const from = at(row + p, column);
      for (extent j = 0; j < whole; j += width) widen_all<width>(from + j, to + j / width * panel + p * width);
      widen(from + whole, last + p * width, columns - whole);
    }
  }

  // As the right operand, whether rows of T can be read where they stand.
  template <class T>
  const T* rows_in_place(extent row, extent column) const {
    if constexpr (std::is_same_v<In, T>)
      return layout == transpose::no ? at(row, column) : nullptr;
    else
      return nullptr;
  }
  extent stride_in_place() const { return stride; }

 private:
  memory_range stored(extent first, extent last) const {
    if (first >= last) return {};
    return {reinterpret_cast<const char*>(data + first * stride), (last - first) * stride * extent{sizeof(In)}};
  }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
