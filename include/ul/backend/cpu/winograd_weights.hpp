#pragma once
// The gradient of 3 x 3 weights by Winograd's F(3 x 3, 4 x 4): the sum over tiles of the products of transformed inputs
// and transformed gradients, transformed back once at the end. Threads share the input channels.

#include <ul/backend/cpu/winograd.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Tiles summed in registers at a time.
inline constexpr extent winograd_tiles = 64;

// The 4 x 4 gradients of a tile, transformed, into row t of 36 right operands `position` apart.
template <class T>
void transform_gradients(const winograd_problem<T>& p, const T* dy, extent tile, extent t, T* to, extent position) {
  const extent b = tile / p.tiles(), across = p.tiles_across(), width = tile_columns<T>, out = p.channels_out;
  const extent top = tile % p.tiles() / across * 4, left = tile % across * 4;
  const extent height = (std::min)(extent{4}, p.out_h - top), length = (std::min)(extent{4}, p.out_w - left);
  const T* const corner = dy + ((b * p.out_h + top) * p.out_w + left) * out;
  for_packs<T>(out, [&](extent c, auto lanes) {
    pack<T> half[6][4];
    for (extent j = 0; j < 4; ++j) {
      pack<T> g[4], v[6];
      for (extent i = 0; i < 4; ++i)
        g[i] = i < height && j < length ? read(corner + (i * p.out_w + j) * out + c, lanes) : pack<T>(T{0});
      transform_gradient(g, v);
      unroll<6>([&](auto i) __attribute__((always_inline)) { half[i][j] = v[i]; });
    }
    T* const row = to + c / width * winograd_tiles * width + t * width + c % width;
    for (extent i = 0; i < 6; ++i) {
      pack<T> v[6];
      transform_gradient(half[i], v);
      unroll<6>([&](auto j) __attribute__((always_inline)) { write(v[j], row + (6 * i + j) * position, lanes); });
    }
  });
}

// The sums of products at 36 positions, (channels, channels_out) each, back to taps of dweight.
template <class T>
void write_taps(const winograd_problem<T>& p, const T* total, extent first, extent channels, T* dweight, bool add) {
  const extent out = p.channels_out;
  for (extent c = 0; c < channels; ++c)
    for_packs<T>(out, [&](extent o, auto lanes) {
      pack<T> half[3][6];
      for (extent j = 0; j < 6; ++j) {
        pack<T> m[6], v[3];
        for (extent i = 0; i < 6; ++i) m[i] = read(total + ((6 * i + j) * channels + c) * out + o, lanes);
        transform_taps(m, v);
        for (extent i = 0; i < 3; ++i) half[i][j] = v[i];
      }
      for (extent i = 0; i < 3; ++i) {
        pack<T> v[3];
        transform_taps(half[i], v);
        for (extent j = 0; j < 3; ++j)
          write_or_add(v[j], dweight + ((3 * i + j) * p.channels_in + first + c) * out + o, add, lanes);
      }
    });
}

// Input channels [first, last) of the gradient.
template <class T>
void weights_of_channels(memory_pool& memory, const winograd_problem<T>& p, const T* dy, extent first, extent last,
                         T* dweight, bool add) {
  const extent in = last - first, out = p.channels_out, tiles = p.batch * p.tiles(), width = tile_columns<T>;
  const extent left = winograd_tiles * in, right = panel_size<T>(winograd_tiles, out), sums = in * out;
  const scratch<memory_pool, T> inputs(memory, 36 * left), gradients(memory, 36 * right), total(memory, 36 * sums);
  const scratch<memory_pool, T> across(memory, in * packed_stride), zeros(memory, p.channels_in);
  std::fill(zeros.data(), zeros.data() + p.channels_in, T{0});
  // The columns that pad a last panel are not written below.
  std::fill(gradients.data(), gradients.data() + 36 * right, T{0});
  for (extent begin = 0; begin < tiles; begin += winograd_tiles) {
    const extent n = (std::min)(winograd_tiles, tiles - begin);
    for (extent t = 0; t < n; ++t) {
      tile_inputs<T>(p, begin + t, zeros.data()).transform(first, last, inputs.data() + t * in, left);
      transform_gradients(p, dy, begin + t, t, gradients.data(), right);
    }
    for (extent position = 0; position < 36; ++position) {
      transpose_block(inputs.data() + position * left, in, n, in, across.data(), packed_stride);
      for (extent q = 0; q < out; q += width)
        multiply_panel<T, packed_stride>(across.data(), gradients.data() + position * right + q * winograd_tiles, width,
                                         n, {total.data() + position * sums + q, out, T{1}, begin > 0}, in,
                                         (std::min)(width, out - q));
    }
  }
  write_taps(p, total.data(), first, in, dweight, add);
}

template <class T>
void weights_by_winograd(executor& threads, memory_pool& memory, const winograd_problem<T>& p, const T* dy, T* dweight,
                         bool add) {
  const extent in = p.channels_in, units = ceil_div(in, tile_rows);
  const extent shares = (std::min)(threads.threads(), units);
  threads.run(shares, [&](extent i) {
    weights_of_channels(memory, p, dy, (std::min)(in, units * i / shares * tile_rows),
                        (std::min)(in, units * (i + 1) / shares * tile_rows), dweight, add);
  });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
