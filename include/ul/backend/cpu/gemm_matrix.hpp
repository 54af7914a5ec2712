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

// Rows of a left operand that is stored transposed are packed as they lie, those of a tile side by side for each step
// along k: short pieces, which the first-level cache holds though their ends are empty, of as many rows as leave room
// for C in the second.
template <class T>
inline constexpr extent across_stride = ceil_div(extent{tile_rows}, extent{pack<T>::size}) * pack<T>::size;
inline constexpr extent across_depth = 384, across_rows = tile_rows * (560 / tile_rows);

// Elements may have 16 bits; blocks are packed as the T of the product. Read as its transpose or not.
template <class In>
struct matrix {
  const In* data;
  extent stride;
  transpose layout;

  const In* at(extent row, extent column) const {
    return layout == transpose::no ? data + row * stride + column : data + column * stride + row;
  }

  // As the left operand: whether rows stand across, as columns; the pieces of k, and how many of `rows` rows to take at
  // once.
  static constexpr bool may_stand_across = true;
  bool across() const { return layout == transpose::yes; }
  extent pieces(extent k) const { return depth_pieces(k, across() ? across_depth : long_depth); }
  extent rows_at_once(extent rows, extent pieces) const {
    if (!across()) return tiles_at_once(pieces);
    if (!std::is_same_v<In, compute_t<In>>) return tile_rows;
    return ceil_div(rows, ceil_div(rows, across_rows) * tile_rows) * tile_rows;
  }

  // As the right operand: where rows [p, p_end) stand, if they are rows in memory.
  memory_range memory_of_sums(extent p, extent p_end) const {
    if (across() || p >= p_end) return {};
    return {reinterpret_cast<const char*>(data + p * stride), (p_end - p) * stride * extent{sizeof(In)}};
  }

  // As the left operand: rows [row, row + rows) and columns [column, column + k), as rows `distance` apart or, if they
  // stand across, as columns `distance` apart.
  template <class T>
  void pack_rows(extent row, extent rows, extent column, extent k, T* to, extent distance) const {
    for (extent i = 0; i < (across() ? k : rows); ++i)
      across() ? widen(at(row, column + i), to + i * distance, rows) : widen(at(row + i, column), to + i * distance, k);
  }

  // The same of many tiles where rows stand across, each tile's columns side by side, tiles `distance` apart. Rows
  // before `end` may be read.
  template <class T>
  void pack_tiles(extent row, extent rows, extent column, extent k, T* to, extent distance, extent end) const {
    constexpr extent S = across_stride<T>, steps_ahead = 16;
    const extent tiles = ceil_div(rows, extent{tile_rows});
    const extent whole = row + S > end ? 0 : (std::min)(tiles, (end - S - row) / tile_rows + 1);
    for (extent p = 0; p < k; ++p) {
      ask_for(at(row, column + p + steps_ahead), rows);
      for (extent t = 0; t < whole; ++t)
        widen_all<S>(at(row + t * tile_rows, column + p), to + t * distance + p * S);
    }
    for (extent t = whole, r = t * tile_rows; t < tiles; ++t, r += tile_rows)
      pack_rows(row + r, (std::min)(extent{tile_rows}, rows - r), column, k, to + t * distance, S);
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

  // Where an element of type T is stored, and how far apart rows (columns, if they stand across) are; null for others.
  template <class T>
  const T* in_place(extent row, extent column) const {
    if constexpr (std::is_same_v<In, T>)
      return at(row, column);
    else
      return nullptr;
  }
  // As the right operand, where rows of T can be read as they stand, or null.
  template <class T>
  const T* rows_in_place(extent row, extent column) const {
    return across() ? nullptr : in_place<T>(row, column);
  }
  extent stride_in_place() const { return stride; }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
