#pragma once
// A packed block of rows of A times columns of B: the panels of B one after the other.

#include <algorithm>
#include <type_traits>

#include <ul/backend/cpu/gemm_ahead.hpp>
#include <ul/backend/cpu/gemm_tile.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// m rows of A, S apart or transposed, times the packed panels of n columns of B. Meanwhile asks for memory, if `ahead`
// says which.
template <class T, extent S, transpose L = transpose::no, class Asking = asking>
void multiply_panels(const T* a, extent m, extent k, const T* panels, extent n, const tile_target<T>& to,
                     const Asking& ahead = {}) {
  constexpr extent width = tile_columns<T>;
  Asking ask = ahead.or_for(a);
  for (extent q = 0; q < n; q += width)
    multiply_panel<T, S, L>(a, panels + q * k, width, k, {to.c + q, to.ldc, to.alpha, to.add}, m,
                            (std::min)(width, n - q), ask);
}

// n columns of B: packed panels or, if `in_place` is given, rows of B `stride` apart, of which only the last columns,
// which do not fill a tile, are packed.
template <class T>
struct column_block {
  const T* panels;
  extent n;
  const T* in_place = nullptr;
  extent stride = 0;
};

// The same with such columns. A tile of full height follows `next` beside the last whole panel; returns whether it did.
template <class T, extent S, transpose L, class Next>
bool multiply_block(const T* a, extent m, extent k, const column_block<T>& b, const tile_target<T>& to,
                    const asking_for_rows& ahead, Next next) {
  constexpr extent width = tile_columns<T>;
  const extent whole = b.n / width * width;
  const bool copies = m == tile_rows && whole > 0 && next.rows > 0 && next.fits(k);
  const auto target = [&](extent q) { return tile_target<T>{to.c + q, to.ldc, to.alpha, to.add}; };
  asking_for_rows ask = ahead.or_for(a);
  const auto multiply = [&](const T* panel, extent stride, extent q) {
    if (copies && q + width == whole)
      multiply_tile<T, tile_rows, tile_packs, S, L>(a, panel, stride, k, target(q), 0, next);
    else if (m == tile_rows && q < whole)
      multiply_tile<T, tile_rows, tile_packs, S, L>(a, panel, stride, k, target(q), 0, ask);
    else
      multiply_panel<T, S, L>(a, panel, stride, k, target(q), m, (std::min)(width, b.n - q), ask);
  };
  extent q = 0;
  if (b.in_place != nullptr) {
    if constexpr (L == transpose::no)
      if (m <= thin_rows)
        for (; q + thin_columns<T> <= b.n; q += thin_columns<T>)
          multiply_thin<T, S>(a, b.in_place + q, b.stride, k, target(q), m, ask);
    for (; q + width <= b.n; q += width) multiply(b.in_place + q, b.stride, q);
  }
  for (const T* panel = b.panels; q < b.n; q += width, panel += k * width) multiply(panel, width, q);
  return copies;
}

// The first tile of rows of A, times the first columns, whole tiles, of the rows of B in place, which are left as
// panels at `panels` for the tiles that follow; then times the panels of the last columns.
template <class T, extent S, transpose L>
void multiply_and_pack(const T* a, extent m, extent k, const column_block<T>& b, T* panels, const tile_target<T>& to) {
  constexpr extent width = tile_columns<T>;
  const auto multiply = [&](auto rows) {
    packing<T> keep{panels};
    for (extent q = 0; q + width <= b.n; q += width)
      multiply_tile<T, decltype(rows)::value, tile_packs, S, L>(a, b.in_place + q, b.stride, k,
                                                                {to.c + q, to.ldc, to.alpha, to.add}, 0, keep);
  };
  if (m == tile_rows)
    multiply(std::integral_constant<int, tile_rows>{});
  else
    multiply(std::integral_constant<int, low_tile_rows>{});
  const extent q = b.n / width * width;
  multiply_panels<T, S, L>(a, m, k, panels + q * k, b.n - q, {to.c + q, to.ldc, to.alpha, to.add}, asking_for_rows{});
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
