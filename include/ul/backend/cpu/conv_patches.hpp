#pragma once
// The patches of a convolution as a matrix that is never stored: row = output position, column = (tap, channel). Its
// blocks are gathered while they are packed. With `adjoint` the roles of inputs and outputs are exchanged, which is
// what the gradient in the data multiplies; strides are then 1.

#include <algorithm>

#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/kernels/conv.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class T>
UL_INLINE void zero_run(T* to, extent n) {
  for_packs<T>(n, [&](extent i, auto lanes) { write(pack<T>(T{0}), to + i, lanes); });
}

template <class T>
struct conv_patches {
  conv_shape s;
  const T* data;  // x (batch, in..., channels), or dy if adjoint
  bool adjoint;

  extent channels() const { return adjoint ? s.channels_out : s.channels_in; }
  extent rows(int axis) const { return adjoint ? s.axis[axis].in : s.axis[axis].out; }
  extent positions(int axis) const { return adjoint ? s.axis[axis].out : s.axis[axis].in; }

  // Where along an axis a tap of a row reads, or -1.
  UL_INLINE extent source(int axis, extent row, extent tap) const {
    const conv_axis& a = s.axis[axis];
    const extent i = adjoint ? row + a.pad - tap : row * a.stride - a.pad + tap;
    return i >= 0 && i < positions(axis) ? i : -1;
  }

  // Calls run(offset, from, n) for the pieces of columns [column, column + k) of a row; `from` is null where the patch
  // lies outside.
  template <class Run>
  UL_INLINE void for_runs(extent row, extent column, extent k, const Run& run) const {
    const extent C = channels();
    extent r[3], rest = row;
    for (int a = 2; a >= 0; --a) r[a] = rest % rows(a), rest /= rows(a);
    extent tap = column / C, c = column % C, t[3], of = tap;
    for (int a = 2; a >= 0; --a) t[a] = of % s.axis[a].kernel, of /= s.axis[a].kernel;
    const T* const sample = data + rest * (positions(0) * positions(1) * positions(2)) * C;
    for (extent at = 0; at < k;) {
      const extent n = (std::min)(C - c, k - at);
      const extent p0 = source(0, r[0], t[0]), p1 = source(1, r[1], t[1]), p2 = source(2, r[2], t[2]);
      const bool inside = p0 >= 0 && p1 >= 0 && p2 >= 0;
      run(at, inside ? sample + ((p0 * positions(1) + p1) * positions(2) + p2) * C + c : nullptr, n);
      at += n;
      c = 0;
      for (int a = 2; a >= 0; --a) {
        if (++t[a] < s.axis[a].kernel) break;
        t[a] = 0;
      }
    }
  }

  static constexpr bool may_stand_across = false;
  static constexpr bool across() { return false; }
  static extent pieces(extent k) { return depth_pieces(k, long_depth); }
  static extent rows_at_once(extent, extent pieces) { return tiles_at_once(pieces); }
  static memory_range memory_of_sums(extent, extent) { return {}; }

  void pack_rows(extent row, extent rows, extent column, extent k, T* to, extent distance) const {
    for (extent i = 0; i < rows; ++i, to += distance)
      for_runs(row + i, column, k, [&](extent at, const T* from, extent n) {
        from != nullptr ? widen(from, to + at, n) : zero_run(to + at, n);
      });
  }

  void pack_panels(extent row, extent k, extent column, extent columns, T* to, extent panel) const {
    constexpr extent width = tile_columns<T>;
    if (columns % width != 0) {
      T* const last = to + columns / width * panel;
      std::fill(last, last + k * width, T{0});
    }
    for (extent p = 0; p < k; ++p)
      for_runs(row + p, column, columns, [&](extent at, const T* from, extent n) {
        while (n > 0) {
          T* const cell = to + at / width * panel + p * width + at % width;
          const extent piece = (std::min)(n, width - at % width);
          from != nullptr ? widen(from, cell, piece) : zero_run(cell, piece);
          at += piece, n -= piece;
          if (from != nullptr) from += piece;
        }
      });
  }

  template <class>
  static const T* in_place(extent, extent) {
    return nullptr;
  }
  template <class>
  static const T* rows_in_place(extent, extent) {
    return nullptr;
  }
  static extent stride_in_place() { return 0; }
};

// The weights (tap, channels_in, channels_out) as the right operand of the gradient in the data: row = (tap, output
// channel), column = input channel.
template <class T>
struct transposed_taps {
  const T* weight;
  extent channels_in, channels_out;

  void pack_panels(extent row, extent k, extent column, extent columns, T* to, extent panel) const {
    for (extent at = 0; at < k;) {
      const extent tap = (row + at) / channels_out, c = (row + at) % channels_out;
      const extent n = (std::min)(channels_out - c, k - at);
      const matrix<T> one{weight + tap * channels_in * channels_out, channels_out, transpose::yes};
      one.pack_panels(c, n, column, columns, to + at * tile_columns<T>, panel);
      at += n;
    }
  }

  static memory_range memory_of_sums(extent, extent) { return {}; }

  template <class>
  static const T* rows_in_place(extent, extent) {
    return nullptr;
  }
  static extent stride_in_place() { return 0; }
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
