#pragma once
// The transformed weights of a convolution by Winograd's algorithm.

#include <ul/backend/cpu/executor.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/transposition.hpp>
#include <ul/backend/cpu/winograd_problem.hpp>
#include <ul/backend/cpu/winograd_transforms.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Input channels whose weights are transformed together.
inline constexpr extent filter_block = 16;

// For each of the 36 positions the panels of a right operand (channels_in, channels_out), cut along channels_in as the
// products are: input channel c, whose weights of a tap follow those of the tap before by `tap`.
template <class T>
void transform_weights_of(const winograd_problem<T>& p, extent c, const T* weight, extent tap, T* to) {
  const extent in = p.channels_in, out = p.channels_out, width = tile_columns<T>;
  const extent position = panel_size<T>(in, out), pieces = depth_pieces(in, tile_depth);
  extent piece = 0;
  while (in * (piece + 1) / pieces <= c) ++piece;
  const extent first = in * piece / pieces, k = in * (piece + 1) / pieces - first;
  T* const row = to + panel_size<T>(first, out) + (c - first) * width;
  for (extent o = out; o < ceil_div(out, width) * width; ++o)
    for (extent i = 0; i < 36; ++i) row[i * position + o / width * k * width + o % width] = 0;
  for_packs<T>(out, [&](extent o, auto lanes) {
    pack<T> half[6][3];
    for (extent s = 0; s < 3; ++s) {
      pack<T> g[3], u[6];
      for (extent r = 0; r < 3; ++r) g[r] = read(weight + (3 * r + s) * tap + o, lanes);
      transform_filter(g, u);
      for (extent i = 0; i < 6; ++i) half[i][s] = u[i];
    }
    for (extent i = 0; i < 6; ++i) {
      pack<T> u[6];
      transform_filter(half[i], u);
      for (extent j = 0; j < 6; ++j)
        write(u[j], row + (6 * i + j) * position + o / width * k * width + o % width, lanes);
    }
  });
}

template <class T>
void transform_weights(executor& threads, memory_pool& memory, const winograd_problem<T>& p, T* to) {
  const extent in = p.channels_in, out = p.channels_out;
  threads.run(ceil_div(in, filter_block), [&](extent block) {
    const extent first = block * filter_block, last = (std::min)(in, first + filter_block);
    if (!p.adjoint) {
      for (extent c = first; c < last; ++c) transform_weights_of(p, c, p.weight + c * p.row, in * p.row, to);
      return;
    }
    const scratch<memory_pool, T> turned(memory, 9 * filter_block * out);
    for (extent tap = 0; tap < 9; ++tap)
      transpose_block(p.weight + (8 - tap) * p.row * in + first, in, out, last - first,
                      turned.data() + tap * filter_block * out, out);
    for (extent c = first; c < last; ++c)
      transform_weights_of(p, c, turned.data() + (c - first) * out, filter_block * out, to);
  });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
