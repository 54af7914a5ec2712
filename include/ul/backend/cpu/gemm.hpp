#pragma once
// The verb gemm on the CPU: a batch of products cut into shares, which depend on the shape and the number of threads;
// the bits of C do not (see gemm_tile.hpp).

#include <ul/backend/cpu/executor.hpp>
#include <ul/backend/cpu/gemm_share.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Multiply-adds worth a task of their own.
inline constexpr extent share_work = extent{1} << 18;

struct grid {
  extent rows = 1, columns = 1;
};

// Cuts m x n into about `shares` rectangles of whole tiles. The largest costs its area and, as its rows and columns are
// read and packed by its thread alone, what packing does: about as much for a row as 8 multiply-adds for each step
// along k.
inline grid cut(extent m, extent n, extent tile, extent shares) {
  const extent row_tiles = ceil_div(m, tile_rows), column_tiles = ceil_div(n, tile);
  grid best;
  extent best_cost = extent_max;
  for (extent rows = 1; rows <= shares && rows <= row_tiles; ++rows) {
    const extent columns = (std::min)(shares / rows, column_tiles);
    const extent height = ceil_div(row_tiles, rows) * tile_rows, width = ceil_div(column_tiles, columns) * tile;
    const extent cost = height * width + 8 * (height + width);
    if (cost < best_cost) best_cost = cost, best = {rows, columns};
  }
  return best;
}

// Runs `batch` products; advance(product, s) makes the first one into number s.
template <class A, class B, class T, class Advance>
void multiply(executor& threads, memory_pool& memory, const product<A, B, T>& g, extent batch, const Advance& advance) {
  const extent tile = tile_columns<T>;
  const extent work = (std::max)(extent{1}, g.m * g.n * (std::max)(extent{1}, g.k));
  const extent wanted = (std::min)(ceil_div(work, share_work), ceil_div(threads.threads(), batch));
  const grid shares = cut(g.m, g.n, tile, (std::max)(extent{1}, wanted));
  const extent each = shares.rows * shares.columns;
  const auto edge = [](extent i, extent parts, extent size, extent step) {
    return (std::min)(size, ceil_div(size, step) * i / parts * step);
  };
  for_each_on(threads, batch * each, (std::max)(extent{1}, grain * (work / each) / share_work), [&](extent c) {
    const extent i = c % each / shares.columns, j = c % shares.columns;
    product<A, B, T> one = g;
    advance(one, c / each);
    multiply_share(memory, one, edge(i, shares.rows, g.m, tile_rows), edge(i + 1, shares.rows, g.m, tile_rows),
                   edge(j, shares.columns, g.n, tile), edge(j + 1, shares.columns, g.n, tile));
  });
}

template <class A, class B, class T>
void multiply_once(executor& threads, memory_pool& memory, const product<A, B, T>& g) {
  if (g.m > 0 && g.n > 0) multiply(threads, memory, g, 1, [](auto&, extent) {});
}

}  // namespace simd

template <class In, class Out>
void gemm_on(executor& threads, memory_pool& memory, const gemm_args<In, Out>& g) {
  using T = compute_t<In>;
  if (g.m == 0 || g.n == 0 || g.batch == 0) return;
  simd::product<simd::matrix<In>, simd::matrix<In>, T> p{g.m,
                                                         g.n,
                                                         g.k,
                                                         {g.a, g.lda, g.a_layout},
                                                         {g.b, g.ldb, g.b_layout},
                                                         nullptr,
                                                         g.n,
                                                         static_cast<T>(g.alpha),
                                                         false,
                                                         {nullptr, g.act}};
  const auto run = [&](extent stride_c) {
    simd::multiply(threads, memory, p, g.batch, [&](auto& one, extent s) {
      one.a.data += s * g.stride_a;
      one.b.data += s * g.stride_b;
      one.c += s * stride_c;
    });
  };
  const scratch<memory_pool, T> bias(memory, std::is_same_v<In, T> || g.bias == nullptr ? 0 : g.n);
  if constexpr (std::is_same_v<In, T>) {
    p.last.bias = g.bias;
  } else if (g.bias != nullptr) {
    simd::widen(g.bias, bias.data(), g.n);
    p.last.bias = bias.data();
  }
  if constexpr (std::is_same_v<Out, T>) {
    p.c = g.c;
    p.ldc = g.ldc;
    p.add = g.mode == store_mode::add;
    run(g.stride_c);
  } else {
    // Sums are kept in the wide type until they are complete.
    const extent size = checked_mul(g.m, g.n, "gemm");
    const scratch<memory_pool, T> wide(memory, checked_mul(size, g.batch, "gemm"));
    p.c = wide.data();
    run(size);
    for_each_on(threads, g.batch * g.m, g.n, [&](extent r) {
      const T* from = wide.data() + r * g.n;
      Out* to = g.c + r / g.m * g.stride_c + r % g.m * g.ldc;
      for (extent j = 0; j < g.n; ++j) {
        const T old = g.mode == store_mode::add ? static_cast<T>(static_cast<compute_t<Out>>(to[j])) : T{0};
        to[j] = static_cast<Out>(static_cast<compute_t<Out>>(from[j] + old));
      }
    });
  }
}

}  // namespace UL_ISA
}  // namespace ul
