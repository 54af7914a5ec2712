#pragma once
// Softmax of rows and its adjoint: maximum, exponentials and their sum, division, while the row is in the cache.

#include <ul/backend/cpu/fold.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/kernels/softmax.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T>
void run_on(executor& threads, memory_pool&, const softmax_forward<T>& f) {
  if (f.columns == 0) return;
  for_each_on(threads, f.rows, 16 * f.columns, [&](extent row) {
    const T* const x = f.x + row * f.columns;
    T* const y = f.y + row * f.columns;
    pack<T> largest(x[0]);
    simd::for_packs<T>(f.columns, [&](extent c, auto lanes) {
      if constexpr (std::is_same_v<decltype(lanes), simd::all_lanes<T>>)
        largest = maximum(simd::read(x + c, lanes), largest);
      else
        for (extent i = c; i < f.columns; ++i) largest = maximum(pack<T>(x[i]), largest);
    });
    const pack<T> top(reduce_maximum(largest));
    simd::for_packs<T>(f.columns,
                       [&](extent c, auto lanes) { simd::write(exp(simd::read(x + c, lanes) - top), y + c, lanes); });
    const auto same = [](pack<T> p) { return p; };
    const pack<T> scale(static_cast<T>(1 / simd::sum_row<T>(same, f.columns, simd::row_reader<T>(y, false))));
    simd::for_packs<T>(f.columns,
                       [&](extent c, auto lanes) { simd::write(simd::read(y + c, lanes) * scale, y + c, lanes); });
  });
}

template <class T>
void run_on(executor& threads, memory_pool&, const softmax_backward<T>& f) {
  for_each_on(threads, f.rows, 8 * f.columns, [&](extent row) {
    const T *const y = f.y + row * f.columns, *const dy = f.dy + row * f.columns;
    const auto times = [](pack<T> a, pack<T> b) { return a * b; };
    const pack<T> inner(static_cast<T>(
        simd::sum_row<T>(times, f.columns, simd::row_reader<T>(y, false), simd::row_reader<T>(dy, false))));
    simd::for_packs<T>(f.columns, [&](extent c, auto lanes) {
      simd::write_or_add(simd::read(y + c, lanes) * (simd::read(dy + c, lanes) - inner), f.dx + row * f.columns + c,
                         f.mode == store_mode::add, lanes);
    });
  });
}

}  // namespace UL_ISA
}  // namespace ul
