#pragma once
// Transposes a block of a matrix through registers.

#include <type_traits>

#include <ul/backend/cpu/interleave.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/core/element.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Transposes the matrix whose rows are the packs: log2(width) rounds of interleaving row i with row i + width / 2.
template <class T, int N>
UL_INLINE void transpose_square(pack<T, N> (&row)[N]) {
  using batch = typename pack<T, N>::batch;
  using lanes = std::make_integer_sequence<int, N>;
  for (int round = 1; round < N; round *= 2) {
    pack<T, N> old[N];
    unroll<N>([&](auto i) __attribute__((always_inline)) { old[i] = row[i]; });
    unroll<N / 2>([&](auto i) __attribute__((always_inline)) {
      const typename batch::register_type a = old[i].native(), b = old[i + N / 2].native();
      row[2 * i] = batch(interleave<0>(a, b, lanes{}));
      row[2 * i + 1] = batch(interleave<N / 2>(a, b, lanes{}));
    });
  }
}

// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns; 16-bit elements are widened.
template <class In, class T>
void transpose_block(const In* from, extent from_stride, extent rows, extent columns, T* to, extent to_stride) {
  constexpr extent width = pack<T>::size;
  extent whole_rows = 0, whole_columns = 0;
  if constexpr (std::is_same_v<In, T> && width > 1) {
    whole_rows = rows / width * width;
    whole_columns = columns / width * width;
    for (extent r = 0; r < whole_rows; r += width)
      for (extent c = 0; c < whole_columns; c += width) {
        pack<T> square[width];
        unroll<width>([&](auto i) __attribute__((always_inline)) {
          square[i] = pack<T>::load(from + (r + i) * from_stride + c);
        });
        transpose_square(square);
        unroll<width>([&](auto i) __attribute__((always_inline)) { square[i].store(to + (c + i) * to_stride + r); });
      }
  }
  const auto rest = [&](extent first_row, extent last_row, extent first_column, extent last_column) {
    for (extent r = first_row; r < last_row; ++r)
      for (extent c = first_column; c < last_column; ++c)
        to[c * to_stride + r] = static_cast<T>(from[r * from_stride + c]);
  };
  rest(0, whole_rows, whole_columns, columns);
  rest(whole_rows, rows, 0, columns);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
