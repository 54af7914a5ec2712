#pragma once
// Attention without the matrix of scores: a block of queries meets the keys block by block, and what it has summed is
// rescaled when a larger score appears. Dao et al., FlashAttention, NeurIPS 2022, algorithm 1. A row's bits depend on
// its own query and on all keys and values, not on the other rows.

#include <cmath>
#include <limits>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_block.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/kernels/attention.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

inline constexpr extent query_block = tile_rows * (48 / tile_rows), key_block = tile_depth;

// The rows of one head as a matrix.
template <class T>
matrix<T> head_matrix(const head_rows<const T>& x, extent b, extent h, extent depth, transpose layout) {
  return {x.data + b * x.sample + h * depth, x.row, layout};
}

// Scores are computed and worked on in whole packs; `edge` is added to the last one: 0 for each of the n keys, and
// minus infinity for what stands beyond them.
template <class T>
constexpr extent whole_packs(extent n) {
  return ceil_div(n, pack<T>::size) * pack<T>::size;
}
template <class T>
pack<T> edge_of(extent n) {
  T lane[pack<T>::size];
  for (extent i = 0; i < pack<T>::size; ++i)
    lane[i] = whole_packs<T>(n) - pack<T>::size + i < n ? T{0} : -std::numeric_limits<T>::infinity();
  return pack<T>::load(lane);
}

// For one row of a block of scores: the greatest of `top` and scale * score.
template <class T>
T greatest_score(const T* score, extent n, pack<T> edge, T scale, T top) {
  constexpr extent width = pack<T>::size;
  const pack<T> factor(scale);
  pack<T> most(top);
  extent i = 0;
  for (; i + width < n; i += width) most = maximum(pack<T>::load(score + i) * factor, most);
  return reduce_maximum(maximum(muladd(pack<T>::load(score + i), factor, edge), most));
}

// Turns the scores into exp(scale * score - top) and returns their sum.
template <class T>
T exponentiate(T* score, extent n, pack<T> edge, T scale, T top) {
  constexpr extent width = pack<T>::size;
  const pack<T> factor(scale), offset(-top);
  pack<T> sum(T{0});
  const auto one = [&](extent i, pack<T> from) __attribute__((always_inline)) {
    const pack<T> p = exp(muladd(pack<T>::load(score + i), factor, from));
    p.store(score + i);
    sum += p;
  };
  extent i = 0;
  for (; i + width < n; i += width) one(i, offset);
  one(i, offset + edge);
  return reduce_sum(sum);
}

// Queries [first, last) of head h of sample b. `keys` and `values` hold the packed panels of all of them.
template <class T>
void attend(memory_pool& memory, const attention_forward<T>& f, extent b, extent h, extent first, extent last,
            const T* keys, const T* values) {
  const attention_shape& s = f.shape;
  const extent D = s.depth;
  const T scale = static_cast<T>(s.scale);
  const scratch<memory_pool, T> queries(memory, query_block * packed_stride),
      scores(memory, query_block * packed_stride);
  const scratch<memory_pool, T> mixed(memory, query_block * D);
  for (; first < last; first += query_block) {
    const extent rows = (std::min)(query_block, last - first);
    head_matrix(f.q, b, h, D, transpose::no).pack_rows(first, rows, 0, D, queries.data(), packed_stride);
    T top[query_block], before[query_block], shrink[query_block], sum[query_block];
    for (extent i = 0; i < rows; ++i) top[i] = -std::numeric_limits<T>::infinity(), sum[i] = 0;
    for (extent j = 0; j < s.keys; j += key_block) {
      const extent n = (std::min)(key_block, s.keys - j);
      const pack<T> edge = edge_of<T>(n);
      multiply_panels<T, packed_stride>(queries.data(), rows, D, keys + j * D, whole_packs<T>(n),
                                        {scores.data(), packed_stride, T{1}, false});
      // The maxima of all rows first: one row's depends on the last pack's, the rows' do not depend on each other.
      for (extent i = 0; i < rows; ++i) {
        before[i] = top[i];
        top[i] = greatest_score(scores.data() + i * packed_stride, n, edge, scale, before[i]);
      }
      for_packs<T>(rows, [&](extent i, auto lanes) {
        write(exp(read(before + i, lanes) - read(top + i, lanes)), shrink + i, lanes);
      });
      for (extent i = 0; i < rows; ++i) {
        const T added = exponentiate(scores.data() + i * packed_stride, n, edge, scale, top[i]);
        sum[i] = j > 0 ? sum[i] * shrink[i] + added : added;
        if (j > 0 && shrink[i] != 1)
          for_packs<T>(D, [&](extent d, auto lanes) {
            T* const at = mixed.data() + i * D + d;
            write(read(at, lanes) * pack<T>(shrink[i]), at, lanes);
          });
      }
      multiply_panels<T, packed_stride>(scores.data(), rows, n, values + panel_size<T>(j, D), D,
                                        {mixed.data(), D, T{1}, j > 0});
    }
    for_packs<T>(rows, [&](extent i, auto lanes) {
      write(read(top + i, lanes) + log(read(sum + i, lanes)), f.lse + (b * s.heads + h) * s.queries + first + i, lanes);
    });
    for (extent i = 0; i < rows; ++i) {
      T* const out = ul::detail::head(f.out, b, first + i, h, D);
      for_packs<T>(D, [&](extent d, auto lanes) {
        write(read(mixed.data() + i * D + d, lanes) * pack<T>(1 / sum[i]), out + d, lanes);
      });
    }
  }
}

}  // namespace simd

// Heads deeper than one panel are composed.
template <class T>
bool can_run(const attention_forward<T>& f) {
  return f.shape.depth <= simd::tile_depth && f.shape.depth > 0 && f.shape.keys > 0;
}

template <class T>
void run_on(executor& threads, memory_pool& memory, const attention_forward<T>& f) {
  const attention_shape& s = f.shape;
  const extent D = s.depth, heads = s.batch * s.heads, blocks = ceil_div(s.queries, simd::query_block);
  if (heads == 0) return;
  const extent parts = (std::max)(extent{1}, (std::min)(blocks, ceil_div(threads.threads(), heads)));
  const extent work = 4 * s.queries * s.keys * D / parts / 8;
  for_each_on(threads, heads * parts, work, [&](extent c) {
    const extent part = c % parts, h = c / parts % s.heads, b = c / parts / s.heads;
    const scratch<memory_pool, T> keys(memory, simd::panel_size<T>(D, s.keys) + simd::panel_size<T>(s.keys, D));
    T* const values = keys.data() + simd::panel_size<T>(D, s.keys);
    for (extent j = 0; j < s.keys; j += simd::key_block) {
      const extent n = (std::min)(simd::key_block, s.keys - j), width = simd::tile_columns<T>;
      simd::head_matrix(f.k, b, h, D, transpose::yes).pack_panels(0, D, j, n, keys.data() + j * D, D * width);
      simd::head_matrix(f.v, b, h, D, transpose::no)
          .pack_panels(j, n, 0, D, values + simd::panel_size<T>(j, D), n * width);
    }
    simd::attend(memory, f, b, h, (std::min)(s.queries, blocks * part / parts * simd::query_block),
                 (std::min)(s.queries, blocks * (part + 1) / parts * simd::query_block), keys.data(), values);
  });
}

}  // namespace UL_ISA
}  // namespace ul
