#pragma once
// The verb fold on the CPU. Sums run in packs for at most 32 terms and go on in double; long axes are cut into pieces
// whose sums are added in order. The cuts depend on mid and inner alone, so neither threads nor batch change a bit.

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/unroll.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

inline constexpr extent run_length = 32;        // terms added in the element type
inline constexpr extent fold_columns = 1024;    // columns of one task
inline constexpr extent fold_elements = 65536;  // about what one task adds

// The lanes of x, added in double: four chains of sums.
template <class T>
UL_INLINE double reduce_wide(pack<T> x) {
  constexpr extent width = pack<T>::size, chains = (std::min)(width, extent{4});
  T lane[width];
  x.store(lane);
  double sum[chains];
  for (extent i = 0; i < chains; ++i) sum[i] = static_cast<double>(lane[i]);
  for (extent i = chains; i < width; i += chains)
    for (extent j = 0; j < chains; ++j) sum[j] += static_cast<double>(lane[i + j]);
  for (extent half = chains / 2; half > 0; half /= 2)
    for (extent i = 0; i < half; ++i) sum[i] += sum[i + half];
  return sum[0];
}

// The sum of f over n elements of a row.
template <class T, class F, class... Readers>
double sum_row(const F& f, extent n, const Readers&... in) {
  constexpr extent width = pack<T>::size, step = 4 * width;
  double sum = 0;
  extent i = 0;
  while (i + step <= n) {
    pack<T> part[4] = {pack<T>(T{0}), pack<T>(T{0}), pack<T>(T{0}), pack<T>(T{0})};
    const extent stop = (std::min)(n - step, i + (run_length - 1) * step);
    for (; i <= stop; i += step)
      unroll<4>([&](auto k) __attribute__((always_inline)) { part[k] += f(in(i + k * width)...); });
    sum += reduce_wide((part[0] + part[1]) + (part[2] + part[3]));
  }
  if (i < n) {
    pack<T> rest(T{0});
    for (; i + width <= n; i += width) rest += f(in(i)...);
    if (i < n) rest += keep_first(f(in.first(i, n - i)...), n - i);
    sum += reduce_wide(rest);
  }
  return sum;
}

// sum[0, n) += f over rows [first, last) of mid, for columns [begin, begin + n).
template <class T, class F, class... In>
void sum_columns(const F& f, extent o, extent first, extent last, extent begin, extent n, double* sum,
                 const operand<In>&... in) {
  constexpr extent width = pack<T>::size;
  for (; first < last; first += run_length) {
    const extent stop = (std::min)(last, first + run_length);
    for (extent c = 0; c < n; c += width) {
      const extent lanes = (std::min)(width, n - c);
      const auto term = [&](extent m) __attribute__((always_inline)) {
        return lanes == width
                   ? f((in.inner == 0 ? pack<T>(*row_of(in, o, m)) : pack<T>::load(row_of(in, o, m) + begin + c))...)
                   : f((in.inner == 0 ? pack<T>(*row_of(in, o, m))
                                      : pack<T>::load_first(row_of(in, o, m) + begin + c, lanes))...);
      };
      pack<T> part[4] = {pack<T>(T{0}), pack<T>(T{0}), pack<T>(T{0}), pack<T>(T{0})};
      extent m = first;
      for (; m + 4 <= stop; m += 4) unroll<4>([&](auto k) __attribute__((always_inline)) { part[k] += term(m + k); });
      for (; m < stop; ++m) part[0] += term(m);
      T lane[pack<T>::size];
      ((part[0] + part[1]) + (part[2] + part[3])).store(lane);
      for (extent j = 0; j < lanes; ++j) sum[c + j] += static_cast<double>(lane[j]);
    }
  }
}

// The same one element at a time, for types and strides that packs do not read.
template <class F, class... In>
void sum_scalars(const F& f, extent o, extent first, extent last, extent begin, extent n, double* sum,
                 const operand<In>&... in) {
  for (extent m = first; m < last; ++m)
    for (extent c = 0; c < n; ++c) sum[c] += static_cast<double>(f(widened(in, o, m, begin + c)...));
}

// sum[0, n) += f over rows [first, last) of mid, for columns [begin, begin + n), whatever the operands are.
template <class F, class... In>
void sum_block(const F& f, extent o, extent first, extent last, extent begin, extent n, double* sum,
               const operand<In>&... in) {
  using T = std::remove_const_t<std::tuple_element_t<0, std::tuple<In...>>>;
  if constexpr (vectorises<T, F, In...>) {
    if (n == 1 && ((in.mid == 0 || in.mid == 1) && ...)) {
      sum[0] += sum_row<T>(f, last - first, row_reader<T>(row_of(in, o, first) + begin * in.inner, in.mid == 0)...);
      return;
    }
    if (((in.inner == 0 || in.inner == 1) && ...)) return sum_columns<T>(f, o, first, last, begin, n, sum, in...);
  }
  sum_scalars(f, o, first, last, begin, n, sum, in...);
}

}  // namespace simd

// out[o * inner + i] = (or +=) the sum over mid of f(in...).
template <class F, class Out, class... In>
void fold_on(executor& threads, memory_pool& memory, space s, const F& f, Out* out, store_mode mode,
             operand<In>... in) {
  if (s.outer == 0 || s.inner == 0) return;
  const extent columns = (std::min)(s.inner, simd::fold_columns), strips = ceil_div(s.inner, columns);
  const extent rows = (std::max)(simd::run_length, simd::fold_elements / columns);
  const extent pieces = (std::max)(extent{1}, ceil_div(s.mid, rows));

  const auto finish = [&](extent place, double sum) {
    Out& y = out[place];
    if (mode == store_mode::add) sum += static_cast<double>(static_cast<compute_t<Out>>(y));
    y = static_cast<Out>(static_cast<compute_t<Out>>(sum));
  };
  // Task c adds one piece of rows of one strip of columns of one sample.
  const auto add_up = [&](extent c, double* sum) {
    const extent strip = c % strips, piece = c / strips % pieces, o = c / strips / pieces;
    const extent begin = strip * columns, n = (std::min)(columns, s.inner - begin);
    for (extent i = 0; i < n; ++i) sum[i] = 0;
    simd::sum_block(f, o, piece * rows, (std::min)(s.mid, (piece + 1) * rows), begin, n, sum, in...);
    return n;
  };

  const extent tasks = s.outer * pieces * strips;
  if (pieces == 1) {
    const extent work = columns * (std::max)(extent{1}, s.mid);
    return for_each_on(threads, tasks, work, [&](extent c) {
      double sum[simd::fold_columns];
      const extent n = add_up(c, sum), place = c / strips * s.inner + c % strips * columns;
      for (extent i = 0; i < n; ++i) finish(place + i, sum[i]);
    });
  }
  const scratch<memory_pool, double> parts(memory, checked_mul(tasks, columns, "fold"));
  threads.run(tasks, [&](extent c) { add_up(c, parts.data() + c * columns); });
  for (extent o = 0; o < s.outer; ++o)
    for (extent i = 0; i < s.inner; ++i) {
      double sum = 0;
      for (extent p = 0; p < pieces; ++p)
        sum += parts.data()[((o * pieces + p) * strips + i / columns) * columns + i % columns];
      finish(o * s.inner + i, sum);
    }
}

}  // namespace UL_ISA
}  // namespace ul
