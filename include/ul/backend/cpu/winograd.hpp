#pragma once
// Convolution with 3 x 3 kernels at stride 1 by Winograd's F(4 x 4, 3 x 3): 36 products in place of 144. Tiles of 4 x 4
// outputs go through in blocks that stay in the second-level cache: their inputs are transformed, 36 matrix products
// mix the channels, and the results are transformed back. A tile's bits do not depend on the block it falls into.

#include <ul/backend/cpu/derived_weights.hpp>
#include <ul/backend/cpu/gemm_block.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/backend/cpu/winograd_filters.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Tiles of one block.
inline constexpr extent winograd_block = tile_rows * ((23 + tile_rows) / tile_rows);

// Where the 6 x 6 inputs of a tile stand; `zeros` stands for those outside.
template <class T>
struct tile_inputs {
  const T* from[6][6];

  tile_inputs(const winograd_problem<T>& p, extent tile, const T* zeros) {
    const extent b = tile / p.tiles(), across = p.tiles_across();
    const extent top = tile % p.tiles() / across * 4 - p.pad_h, left = tile % across * 4 - p.pad_w;
    for (extent i = 0; i < 6; ++i)
      for (extent j = 0; j < 6; ++j) {
        const bool inside = top + i >= 0 && top + i < p.H && left + j >= 0 && left + j < p.W;
        from[i][j] = inside ? p.x + ((b * p.H + top + i) * p.W + left + j) * p.channels_in : zeros;
      }
  }

  // Asks for so many channels of what the tile to the left does not read as well.
  UL_INLINE void prefetch(extent channels) const {
    for (extent i = 0; i < 6; ++i)
      for (extent j = 2; j < 6; ++j) ask_for(from[i][j], channels);
  }

  // Channels [first, last), transformed, to 36 places `position` apart.
  void transform(extent first, extent last, T* to, extent position) const {
    for_packs<T>(last - first, [&](extent c, auto lanes) {
      pack<T> half[6][6];
      for (extent j = 0; j < 6; ++j) {
        pack<T> d[6], v[6];
        unroll<6>([&](auto i) __attribute__((always_inline)) { d[i] = read(from[i][j] + first + c, lanes); });
        transform_input(d, v);
        unroll<6>([&](auto i) __attribute__((always_inline)) { half[i][j] = v[i]; });
      }
      for (extent i = 0; i < 6; ++i) {
        pack<T> v[6];
        transform_input(half[i], v);
        unroll<6>([&](auto j) __attribute__((always_inline)) { write(v[j], to + (6 * i + j) * position + c, lanes); });
      }
    });
  }
};

// The 36 products of a tile, `position` apart, back to 4 x 4 outputs.
template <activation A, class T>
void write_tile(const winograd_problem<T>& p, extent tile, const T* from, extent position) {
  const extent b = tile / p.tiles(), across = p.tiles_across();
  const extent top = tile % p.tiles() / across * 4, left = tile % across * 4;
  const extent rows = (std::min)(extent{4}, p.out_h - top), columns = (std::min)(extent{4}, p.out_w - left);
  T* const corner = p.y + ((b * p.out_h + top) * p.out_w + left) * p.row;
  for_packs<T>(p.channels_out, [&](extent c, auto lanes) {
    pack<T> half[4][6];
    for (extent j = 0; j < 6; ++j) {
      pack<T> m[6], v[4];
      for (extent i = 0; i < 6; ++i) m[i] = read(from + (6 * i + j) * position + c, lanes);
      transform_output(m, v);
      for (extent i = 0; i < 4; ++i) half[i][j] = v[i];
    }
    const pack<T> bias = read_or(T{0}, p.last.bias, c, lanes);
    for (extent i = 0; i < rows; ++i) {
      pack<T> v[4];
      transform_output(half[i], v);
      for (extent j = 0; j < columns; ++j)
        write_or_add(activate(A, v[j] + bias), corner + (i * p.out_w + j) * p.row + c, p.add, lanes);
    }
  });
}

// Whether each thread had better transform the weights of its own output channels, and the inputs of all tiles once
// more: where weights are large beside tiles, and threads share no cache, what another has just written is dear.
template <class T>
bool suits_own_channels(extent threads, const winograd_problem<T>& p) {
  return threads > 1 && p.channels_out >= 128 * threads && p.batch * p.tiles() <= 2 * p.channels_out;
}

template <class T>
void convolve_by_winograd(executor& threads, memory_pool& memory, const winograd_problem<T>& p) {
  const extent in = p.channels_in, out = p.channels_out, pieces = depth_pieces(in, tile_depth),
               tiles = p.batch * p.tiles();
  const extent weights = panel_size<T>(in, out), rows = winograd_block * packed_stride, results = winograd_block * out;
  if (tiles == 0) return;
  if (!keeps_weights(p.lasting, memory) && suits_own_channels(threads.threads(), p)) {
    const extent panels = ceil_div(out, tile_columns<T>), shares = threads.threads();
    return threads.run(shares, [&](extent i) {
      executor alone(default_executor, 1);
      convolve_by_winograd(alone, memory,
                           p.columns(panels * i / shares * tile_columns<T>,
                                     (std::min)(out, panels * (i + 1) / shares * tile_columns<T>)));
    });
  }
  const derived_weights<T> transformed(memory, p.weight, p.lasting, checked_mul(36, weights, "conv"),
                                       [&](T* to) { transform_weights(threads, memory, p, to); });
  threads.run(ceil_div(tiles, winograd_block), [&](extent block) {
    const scratch<memory_pool, T> inputs(memory, 36 * rows * pieces), products(memory, 36 * results), zeros(memory, in);
    std::fill(zeros.data(), zeros.data() + in, T{0});
    const extent first = block * winograd_block, n = (std::min)(winograd_block, tiles - first);
    for (extent t = 0; t < n; ++t) {
      const tile_inputs<T> tile(p, first + t, zeros.data());
      for (extent piece = 0; piece < pieces; ++piece)
        tile.transform(in * piece / pieces, in * (piece + 1) / pieces,
                       inputs.data() + piece * 36 * rows + t * packed_stride, rows);
    }
    // A panel is read by each tile of rows.
    const extent times = ceil_div(out, tile_columns<T>) * (winograd_block / tile_rows);
    look_ahead ahead(p.outputs_of(first, first + n),
                     p.inputs_of(first + n, (std::min)(tiles, first + n + winograd_block)),
                     36 * times * (in / tile_steps));
    for (extent position = 0; position < 36; ++position)
      for (extent piece = 0; piece < pieces; ++piece) {
        const extent begin = in * piece / pieces, k = in * (piece + 1) / pieces - begin;
        multiply_panels<T, packed_stride>(inputs.data() + (piece * 36 + position) * rows, n, k,
                                          transformed.data() + position * weights + panel_size<T>(begin, out), out,
                                          {products.data() + position * results, out, T{1}, piece > 0},
                                          ahead.take(times * (k / tile_steps)));
      }
    with_activation(p.last.act, [&](auto act) {
      for (extent t = 0; t < n; ++t) write_tile<decltype(act)::value>(p, first + t, products.data() + t * out, results);
    });
  });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
