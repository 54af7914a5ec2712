#pragma once
// The gradient of 3 x 3 weights by Winograd's F(3 x 3, 4 x 4): the sum over tiles of the products of transformed inputs
// and transformed gradients, transformed back once at the end. Threads share first the tiles, then the 36 positions.

#include <ul/backend/cpu/winograd.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Tiles summed in registers at a time.
inline constexpr extent winograd_tiles = 64;

// Bytes of transformed tiles that several threads make before they multiply them: little for the last cache, and work
// enough for two meetings.
inline extent shared_room(extent threads) { return (std::min)(threads, extent{8}) << 21; }

// Where the 4 x 4 gradients of a tile stand; at the edges there are fewer.
template <class T>
struct tile_gradients {
  const T* corner;
  extent height, length, row, channels;

  tile_gradients(const winograd_problem<T>& p, const T* dy, extent tile)
      : row(p.out_w * p.channels_out), channels(p.channels_out) {
    const extent top = tile % p.tiles() / p.tiles_across() * 4, left = tile % p.tiles_across() * 4;
    height = (std::min)(extent{4}, p.out_h - top), length = (std::min)(extent{4}, p.out_w - left);
    corner = dy + (tile / p.tiles() * p.out_h + top) * row + left * channels;
  }

  UL_INLINE void prefetch() const {
    for (extent i = 0; i < height; ++i) ask_for(corner + i * row, length * channels);
  }

  // Transformed, into row t of 36 right operands `position` apart.
  void transform(extent t, T* to, extent position) const {
    constexpr extent width = tile_columns<T>;
    for_packs<T>(channels, [&](extent c, auto lanes) {
      pack<T> half[6][4];
      for (extent j = 0; j < 4; ++j) {
        pack<T> g[4], v[6];
        for (extent i = 0; i < 4; ++i)
          g[i] = i < height && j < length ? read(corner + i * row + j * channels + c, lanes) : pack<T>(T{0});
        transform_gradient(g, v);
        unroll<6>([&](auto i) __attribute__((always_inline)) { half[i][j] = v[i]; });
      }
      T* const at = to + c / width * winograd_tiles * width + t * width + c % width;
      for (extent i = 0; i < 6; ++i) {
        pack<T> v[6];
        transform_gradient(half[i], v);
        unroll<6>([&](auto j) __attribute__((always_inline)) { write(v[j], at + (6 * i + j) * position, lanes); });
      }
    });
  }
};

// The sums of products at 36 positions, (channels_in, channels_out) each, back to taps of dweight, for one input
// channel.
template <class T>
void write_taps(const winograd_problem<T>& p, const T* total, extent channel, T* dweight, bool add) {
  const extent in = p.channels_in, out = p.channels_out;
  for_packs<T>(out, [&](extent o, auto lanes) {
    pack<T> half[3][6];
    for (extent j = 0; j < 6; ++j) {
      pack<T> m[6], v[3];
      for (extent i = 0; i < 6; ++i) m[i] = read(total + ((6 * i + j) * in + channel) * out + o, lanes);
      transform_taps(m, v);
      for (extent i = 0; i < 3; ++i) half[i][j] = v[i];
    }
    for (extent i = 0; i < 3; ++i) {
      pack<T> v[3];
      transform_taps(half[i], v);
      for (extent j = 0; j < 3; ++j) write_or_add(v[j], dweight + ((3 * i + j) * in + channel) * out + o, add, lanes);
    }
  });
}

template <class T>
void weights_by_winograd(executor& threads, memory_pool& memory, const winograd_problem<T>& p, const T* dy, T* dweight,
                         bool add) {
  const extent in = p.channels_in, out = p.channels_out, width = tile_columns<T>;
  const extent tiles = p.batch * p.tiles(), blocks = ceil_div(tiles, winograd_tiles);
  const extent left = winograd_tiles * in, right = panel_size<T>(winograd_tiles, out), sums = in * out;
  // One thread works in its second-level cache; several share the last one, and wait for each other less often.
  const extent room = shared_room(threads.threads()) / (36 * (left + right) * extent{sizeof(T)});
  const extent at_once = (std::max)(extent{1}, threads.threads() == 1 ? 1 : (std::min)(blocks, room));
  const scratch<memory_pool, T> inputs(memory, at_once * 36 * left), gradients(memory, at_once * 36 * right);
  const scratch<memory_pool, T> total(memory, 36 * sums), zeros(memory, in);
  std::fill(zeros.data(), zeros.data() + in, T{0});
  // The columns that pad a last panel are not written below.
  if (out % width != 0) std::fill(gradients.data(), gradients.data() + at_once * 36 * right, T{0});
  for (extent first = 0; first < blocks; first += at_once) {
    const extent begin = first * winograd_tiles, end = (std::min)(tiles, (first + at_once) * winograd_tiles);
    for_each_on(threads, end - begin, 200 * (in + out), [&](extent i) {
      const extent tile = begin + i, next = (std::min)(tile + 1, tiles - 1);
      const extent block = i / winograd_tiles * 36, t = i % winograd_tiles;
      tile_inputs<T>(p, next, zeros.data()).prefetch(in);
      tile_gradients<T>(p, dy, next).prefetch();
      tile_inputs<T>(p, tile, zeros.data()).transform(0, in, inputs.data() + block * left + t * in, left);
      tile_gradients<T>(p, dy, tile).transform(t, gradients.data() + block * right, right);
    });
    threads.run(36, [&](extent position) {
      const scratch<memory_pool, T> across(memory, in * packed_stride);
      for (extent tile = begin; tile < end; tile += winograd_tiles) {
        const extent n = (std::min)(winograd_tiles, end - tile), at = (tile - begin) / winograd_tiles * 36 + position;
        transpose_block(inputs.data() + at * left, in, n, in, across.data(), packed_stride);
        asking nothing = asking{}.or_for(across.data());
        for (extent q = 0; q < out; q += width)
          multiply_panel<T, packed_stride>(across.data(), gradients.data() + at * right + q * winograd_tiles, width, n,
                                           {total.data() + position * sums + q, out, T{1}, tile > 0}, in,
                                           (std::min)(width, out - q), nothing);
      }
    });
  }
  for_each_on(threads, in, 100 * out, [&](extent c) { write_taps(p, total.data(), c, dweight, add); });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
