#pragma once
// Convolution with 3 x 3 kernels at stride 1 by Winograd's F(4 x 4, 3 x 3): 36 products in place of 144. Tiles of 4 x 4
// outputs go through in blocks that stay in the second-level cache: their inputs are transformed, 36 matrix products
// mix the channels, and the results are transformed back. A tile's bits do not depend on the block it falls into.

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/conv_patches.hpp>
#include <ul/backend/cpu/derived_weights.hpp>
#include <ul/backend/cpu/gemm_block.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/unroll.hpp>
#include <ul/backend/cpu/winograd_transforms.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// A plain 3 x 3 convolution of (batch, H, W, channels_in) to (batch, out_h, out_w, channels_out).
template <class T>
struct winograd_problem {
  extent batch, H, W, out_h, out_w, pad_h, pad_w, channels_in, channels_out;
  const T* x;
  const T* weight;  // (3, 3, channels_in, channels_out)
  T* y;
  bool add;
  epilogue<T> last;
  bool lasting = false;  // the weights are a parameter's

  extent tiles_across() const { return ceil_div(out_w, 4); }
  extent tiles() const { return ceil_div(out_h, 4) * tiles_across(); }

  // The memory that tiles [begin, end) read or write, about, in whole rows.
  memory_range inputs_of(extent begin, extent end) const { return rows_of(x, H, W * channels_in, begin, end); }
  memory_range outputs_of(extent begin, extent end) const {
    return rows_of(y, out_h, out_w * channels_out, begin, end);
  }

 private:
  memory_range rows_of(const T* data, extent height, extent row, extent begin, extent end) const {
    if (begin >= end) return {};
    const auto offset = [&](extent tile, extent below) {
      return (tile / tiles() * height + (std::min)(height, tile % tiles() / tiles_across() * 4 + below)) * row;
    };
    const extent from = offset(begin, 0);
    return {reinterpret_cast<const char*>(data + from), (offset(end - 1, 4) - from) * extent{sizeof(T)}};
  }
};

// Whether the shape of one sample, H x W results, repays the transforms.
inline bool repays_winograd(const conv_shape& s, extent H, extent W) {
  return s.channels_in >= 16 && s.channels_out >= 16 && H * W >= 10 * ceil_div(H, 4) * ceil_div(W, 4);
}
inline bool is_plain_3x3(const conv_shape& s) {
  if (s.axis[0].kernel != 1 || s.axis[0].in != 1 || s.axis[0].out != 1 || s.axis[0].pad != 0) return false;
  for (const conv_axis* a : {&s.axis[1], &s.axis[2]})
    if (a->kernel != 3 || a->stride != 1 || a->pad < 0 || a->pad > 2 || a->out != a->in + 2 * a->pad - 2) return false;
  return true;
}
inline bool suits_winograd(const conv_shape& s) {
  return is_plain_3x3(s) && repays_winograd(s, s.axis[1].out, s.axis[2].out);
}
inline bool suits_winograd_adjoint(const conv_shape& s) {
  return is_plain_3x3(s) && repays_winograd(s, s.axis[1].in, s.axis[2].in);
}

// Tiles of one block.
inline constexpr extent winograd_block = tile_rows * ((23 + tile_rows) / tile_rows);

// The transformed weights: for each of the 36 positions the panels of a right operand (channels_in, channels_out), cut
// along channels_in as the products are.
template <class T>
void transform_weights(executor& threads, const winograd_problem<T>& p, T* to) {
  const extent in = p.channels_in, out = p.channels_out, width = tile_columns<T>;
  const extent position = panel_size<T>(in, out), pieces = depth_pieces(in, tile_depth);
  for_each_on(threads, in, 100 * out, [&](extent c) {
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
        for (extent r = 0; r < 3; ++r) g[r] = read(p.weight + ((3 * r + s) * in + c) * out + o, lanes);
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
  });
}

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
  T* const corner = p.y + ((b * p.out_h + top) * p.out_w + left) * p.channels_out;
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
        write_or_add(activate(A, v[j] + bias), corner + (i * p.out_w + j) * p.channels_out + c, p.add, lanes);
    }
  });
}

template <class T>
void convolve_by_winograd(executor& threads, memory_pool& memory, const winograd_problem<T>& p) {
  const extent in = p.channels_in, out = p.channels_out, pieces = depth_pieces(in, tile_depth),
               tiles = p.batch * p.tiles();
  const extent weights = panel_size<T>(in, out), rows = winograd_block * packed_stride, results = winograd_block * out;
  if (tiles == 0) return;
  const derived_weights<T> transformed(memory, p.weight, p.lasting, checked_mul(36, weights, "conv"),
                                       [&](T* to) { transform_weights(threads, p, to); });
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
    const extent panels = ceil_div(out, tile_columns<T>);
    look_ahead ahead(p.outputs_of(first, first + n),
                     p.inputs_of(first + n, (std::min)(tiles, first + n + winograd_block)), 36 * panels * in);
    for (extent position = 0; position < 36; ++position)
      for (extent piece = 0; piece < pieces; ++piece) {
        const extent begin = in * piece / pieces, k = in * (piece + 1) / pieces - begin;
        multiply_panels<T, packed_stride>(inputs.data() + (piece * 36 + position) * rows, n, k,
                                          transformed.data() + position * weights + panel_size<T>(begin, out), out,
                                          {products.data() + position * results, out, T{1}, piece > 0},
                                          ahead.take(panels * k));
      }
    with_activation(p.last.act, [&](auto act) {
      for (extent t = 0; t < n; ++t) write_tile<decltype(act)::value>(p, first + t, products.data() + t * out, results);
    });
  });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
