#pragma once
// The gradient of 3 x 3 weights by Winograd's F(3 x 3, 4 x 4): the sum over tiles of the products of transformed inputs
// and transformed gradients, transformed back at the end. Where sums are small beside tiles, each thread sums tiles of
// its own from the first step to the last: what one writes and another reads costs much where they share no cache.
// Otherwise threads share first the transforms of some tiles, then the 36 products.

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

  // Transformed, into row t of 36 right operands of `rows` rows, `position` apart.
  void transform(extent t, extent rows, T* to, extent position) const {
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
      T* const at = to + c / width * rows * width + t * width + c % width;
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

// The sums over tiles [begin, end) of the products at the 36 positions: (36, channels_in, channels_out) at `total`.
template <class T>
void sum_tiles(executor& threads, memory_pool& memory, const winograd_problem<T>& p, const T* dy, extent begin,
               extent end, T* total) {
  const extent in = p.channels_in, out = p.channels_out, pieces = depth_pieces(in, tile_depth);
  // Positions at multiples of 4 KiB would all fall into one set of the first-level cache.
  constexpr extent line = 64 / sizeof(T);
  const extent piece = winograd_tiles * packed_stride, left = pieces * piece + line;
  const extent right = panel_size<T>(winograd_tiles, out) + line;
  // One thread works in its second-level cache; several share the last one, and wait for each other less often.
  const extent room = shared_room(threads.threads()) / (36 * (winograd_tiles * in + right) * extent{sizeof(T)});
  const extent blocks = threads.threads() == 1 ? 1 : std::clamp(room, extent{1}, ceil_div(end - begin, winograd_tiles));
  const scratch<memory_pool, T> inputs(memory, blocks * 36 * left), gradients(memory, blocks * 36 * right);
  const scratch<memory_pool, T> zeros(memory, in);
  std::fill(zeros.data(), zeros.data() + in, T{0});
  // The columns that pad a last panel are not written below.
  if (out % tile_columns<T> != 0) std::fill(gradients.data(), gradients.data() + blocks * 36 * right, T{0});
  for (extent first = begin; first < end; first += blocks * winograd_tiles) {
    const extent last = (std::min)(end, first + blocks * winograd_tiles);
    const auto tiles_of = [&](extent block) {
      return (std::min)(winograd_tiles, last - first - block * winograd_tiles);
    };
    for_each_on(threads, last - first, 200 * (in + out), [&](extent i) {
      const extent next = (std::min)(first + i + 1, end - 1), block = i / winograd_tiles, t = i % winograd_tiles;
      tile_inputs<T>(p, next, zeros.data()).prefetch(in);
      tile_gradients<T>(p, dy, next).prefetch();
      const tile_inputs<T> tile(p, first + i, zeros.data());
      for (extent q = 0; q < pieces; ++q)
        tile.transform(in * q / pieces, in * (q + 1) / pieces,
                       inputs.data() + block * 36 * left + q * piece + t * packed_stride, left);
      tile_gradients<T>(p, dy, first + i).transform(t, tiles_of(block), gradients.data() + block * 36 * right, right);
    });
    threads.run(36, [&](extent position) {
      for (extent block = 0; first + block * winograd_tiles < last; ++block)
        for (extent q = 0; q < pieces; ++q) {
          const extent at = block * 36 + position, row = in * q / pieces, rows = in * (q + 1) / pieces - row;
          multiply_panels<T, packed_stride, transpose::yes>(
              inputs.data() + at * left + q * piece, rows, tiles_of(block), gradients.data() + at * right, out,
              {total + (position * in + row) * out, out, T{1}, first > begin || block > 0});
        }
    });
  }
}

template <class T>
void weights_by_winograd(executor& threads, memory_pool& memory, const winograd_problem<T>& p, const T* dy, T* dweight,
                         bool add) {
  const extent in = p.channels_in, out = p.channels_out, tiles = p.batch * p.tiles();
  const extent taps = checked_mul(9, in * out, "conv_weights"), sums = 4 * taps;
  // A sum of its own repays what it costs to add it to the others after so many tiles.
  const extent parts = std::clamp(tiles / (2 * (std::max)(in, out)), extent{1}, extent{16});
  if (parts == 1) {
    const scratch<memory_pool, T> total(memory, sums);
    sum_tiles(threads, memory, p, dy, 0, tiles, total.data());
    return for_each_on(threads, in, 100 * out, [&](extent c) { write_taps(p, total.data(), c, dweight, add); });
  }
  const scratch<memory_pool, T> partial(memory, parts * taps);
  threads.run(parts, [&](extent part) {
    executor alone(default_executor, 1);
    const scratch<memory_pool, T> total(memory, sums);
    sum_tiles(alone, memory, p, dy, tiles * part / parts, tiles * (part + 1) / parts, total.data());
    for (extent c = 0; c < in; ++c) write_taps(p, total.data(), c, partial.data() + part * taps, false);
  });
  for_each_on(threads, 9 * in, parts * out, [&](extent row) {
    for_packs<T>(out, [&](extent o, auto lanes) {
      const T* from = partial.data() + row * out + o;
      pack<T> sum = read(from, lanes);
      for (extent part = 1; part < parts; ++part) sum += read(from += taps, lanes);
      write_or_add(sum, dweight + row * out + o, add, lanes);
    });
  });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
