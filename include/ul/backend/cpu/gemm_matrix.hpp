#pragma once
// A stored matrix as an operand of the blocked product: how its blocks are packed. Any type with these members can
// stand in its place (see conv_patches.hpp).

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <ul/backend/cpu/gemm_tile.hpp>
#include <ul/backend/cpu/transposition.hpp>
#include <ul/backend/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class In, class T>
UL_INLINE void widen(const In* from, T* to, extent n) {
  if constexpr (std::is_same_v<In, T>)
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  else
    for (extent i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

// Elements that `rows` packed as panels of a right operand take up.
template <class T>
constexpr extent panel_size(extent rows, extent columns) {
  return rows * ceil_div(columns, tile_columns<T>) * tile_columns<T>;
}

// Elements may have 16 bits; blocks are packed as the T of the product. Read as its transpose or not.
template <class In>
struct matrix {
  const In* data;
  extent stride;
  transpose layout;

  const In* at(extent row, extent column) const {
    return layout == transpose::no ? data + row * stride + column : data + column * stride + row;
  }

  // As the left operand: rows [row, row + rows) and columns [column, column + k), as rows packed_stride apart.
  template <class T>
  void pack_rows(extent row, extent rows, extent column, extent k, T* to) const {
    if (layout == transpose::yes) return transpose_block(at(row, column), stride, k, rows, to, packed_stride);
    for (extent i = 0; i < rows; ++i) widen(at(row + i, column), to + i * packed_stride, k);
  }

  // As the right operand: rows [row, row + k) and columns [column, column + columns) as panels of tile_columns, padded
  // with zeros, panels `panel` elements apart.
  template <class T>
  void pack_panels(extent row, extent k, extent column, extent columns, T* to, extent panel) const {
    constexpr extent width = tile_columns<T>;
    for (extent j = 0; j < columns; j += width, to += panel) {
      const extent n = (std::min)(width, columns - j);
      if (n < width) std::fill(to, to + k * width, T{0});
      if (layout == transpose::yes)
        transpose_block(at(row, column + j), stride, n, k, to, width);
      else if (n == width)
        for (extent p = 0; p < k; ++p) widen(at(row + p, column + j), to + p * width, width);
      else
        for (extent p = 0; p < k; ++p) widen(at(row + p, column + j), to + p * width, n);
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
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
