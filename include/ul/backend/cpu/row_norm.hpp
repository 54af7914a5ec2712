#pragma once
// Normalisation of each row (layer norm, RMS norm) with an affine map and a modulation, in both passes. A row stays in
// the first-level cache; the backward pass makes dx and the sums over rows in one sweep.

#include <cmath>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/channel_norm.hpp>
#include <ul/backend/cpu/fold.hpp>
#include <ul/backend/kernels/row_norm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// The affine map and the modulation of one sample: factor = gain * (1 + scale), offset = bias * (1 + scale) + shift.
template <class T>
void fold_modulation(const row_norm_shape& s, extent b, const T* weight, const T* bias, const T* scale, const T* shift,
                     T* factor, T* offset) {
  for (extent c = 0; c < s.channels; ++c) {
    const T modulation = scale == nullptr ? T{1} : 1 + scale[b * s.modulation_stride + c];
    factor[c] = (weight == nullptr ? T{1} : weight[c]) * modulation;
    offset[c] = (bias == nullptr ? T{0} : bias[c]) * modulation +
                (shift == nullptr ? T{0} : shift[b * s.modulation_stride + c]);
  }
}

template <class T>
struct identity {
  UL_INLINE pack<T> operator()(pack<T> x) const { return x; }
};
template <class T>
struct squared_distance {
  pack<T> from;
  UL_INLINE pack<T> operator()(pack<T> x) const { return (x - from) * (x - from); }
};

}  // namespace simd

template <class T>
void run_on(executor& threads, memory_pool& memory, const row_norm_forward<T>& f) {
  const row_norm_shape& s = f.shape;
  const extent C = s.channels;
  const scratch<memory_pool, T> folded(memory, checked_mul(s.samples, 2 * C, "row_norm"));
  for_each_on(threads, s.samples, 4 * C, [&](extent b) {
    T* const to = folded.data() + b * 2 * C;
    simd::fold_modulation(s, b, f.weight, f.bias, f.scale, f.shift, to, to + C);
  });
  for_each_on(threads, s.samples * s.rows, 4 * C, [&](extent row) {
    const T* const x = f.x + row * C;
    const simd::row_reader<T> reader(x, false);
    const double count = static_cast<double>(C);
    const double mean = s.centre == centring::mean ? simd::sum_row<T>(simd::identity<T>{}, C, reader) / count : 0.0;
    const pack<T> m(static_cast<T>(mean));
    // The rounded mean leaves a remainder, which belongs to the mean, not to the variance.
    const double rest = mean - static_cast<double>(static_cast<T>(mean));
    const double squares = simd::sum_row<T>(simd::squared_distance<T>{m}, C, reader) / count - rest * rest;
    const T rstd = static_cast<T>(1 / std::sqrt((std::max)(squares, 0.0) + f.eps));
    f.mean[row] = static_cast<T>(mean);
    f.rstd[row] = rstd;
    const T* const factor = folded.data() + row / s.rows * 2 * C;
    const pack<T> r(rstd);
    simd::for_packs<T>(C, [&](extent c, auto lanes) {
      const auto n = (simd::read(x + c, lanes) - m) * r;
      simd::write(muladd(n, simd::read(factor + c, lanes), simd::read(factor + C + c, lanes)), f.y + row * C + c,
                  lanes);
    });
  });
}

// With g = dy * factor: dx = rstd (g - mean(g) - n mean(g n)); without centring there is no mean(g).
template <class T>
void run_on(executor& threads, memory_pool& memory, const row_norm_backward<T>& f) {
  const row_norm_shape& s = f.shape;
  const extent C = s.channels, runs = ceil_div(s.rows, simd::norm_run);
  const scratch<memory_pool, T> folded(memory, checked_mul(s.samples, 2 * C, "row_norm"));
  const scratch<memory_pool, T> partial(memory, checked_mul(s.samples * runs, 2 * C, "row_norm"));
  for_each_on(threads, s.samples, 4 * C, [&](extent b) {
    T* const to = folded.data() + b * 2 * C;
    simd::fold_modulation<T>(s, b, f.weight, f.bias, f.scale, nullptr, to, to + C);
  });

  for_each_on(threads, s.samples * runs, 16 * simd::norm_run * C, [&](extent i) {
    const extent b = i / runs, first = i % runs * simd::norm_run, last = (std::min)(s.rows, first + simd::norm_run);
    const T* const factor = folded.data() + b * 2 * C;
    T *const plain = partial.data() + i * 2 * C, *const weighted = plain + C;
    for (extent c = 0; c < 2 * C; ++c) plain[c] = 0;
    for (extent row = b * s.rows + first; row < b * s.rows + last; ++row) {
      const T *const x = f.x + row * C, *const dy = f.dy + row * C;
      const pack<T> mean(f.mean[row]), rstd(f.rstd[row]);
      pack<T> sum(T{0}), sum_n(T{0});
      simd::for_packs<T>(C, [&](extent c, auto lanes) {
        const auto n = (simd::read(x + c, lanes) - mean) * rstd, d = simd::read(dy + c, lanes);
        const auto g = d * simd::read(factor + c, lanes);
        sum += g;
        sum_n = muladd(g, n, sum_n);
        simd::write(simd::read(plain + c, lanes) + d, plain + c, lanes);
        simd::write(muladd(d, n, simd::read(weighted + c, lanes)), weighted + c, lanes);
      });
      if (f.dx == nullptr) continue;
      const T count = static_cast<T>(C);
      const pack<T> a(s.centre == centring::mean ? reduce_sum(sum) / count : T{0}), w(reduce_sum(sum_n) / count);
      simd::for_packs<T>(C, [&](extent c, auto lanes) {
        const auto n = (simd::read(x + c, lanes) - mean) * rstd;
        const auto centred = muladd(simd::read(dy + c, lanes), simd::read(factor + c, lanes), -a);
        simd::write_or_add(rstd * muladd(-n, w, centred), f.dx + row * C + c, f.mode == store_mode::add, lanes);
      });
    }
  });

  const bool affine = f.dweight != nullptr || f.dbias != nullptr,
             modulated = f.dscale != nullptr || f.dshift != nullptr;
  if (affine || modulated)
    for_each_on(threads, C, 4 * s.samples * runs, [&](extent c) {
      double dweight = 0, dbias = 0;
      for (extent b = 0; b < s.samples; ++b) {
        const T* const from = partial.data() + b * runs * 2 * C + c;
        const double plain = simd::sum_down(from, runs, 2 * C), weighted = simd::sum_down(from + C, runs, 2 * C);
        const extent at = b * s.modulation_stride + c;
        const double modulation = f.scale == nullptr ? 1.0 : 1 + static_cast<double>(f.scale[at]);
        dweight += modulation * weighted;
        dbias += modulation * plain;
        const double gain = f.weight == nullptr ? 1.0 : static_cast<double>(f.weight[c]);
        const double offset = f.bias == nullptr ? 0.0 : static_cast<double>(f.bias[c]);
        if (f.dscale != nullptr) f.dscale[at] = static_cast<T>(gain * weighted + offset * plain);
        if (f.dshift != nullptr) f.dshift[at] = static_cast<T>(plain);
      }
      if (f.dweight != nullptr) f.dweight[c] += static_cast<T>(dweight);
      if (f.dbias != nullptr) f.dbias[c] += static_cast<T>(dbias);
    });
}

}  // namespace UL_ISA
}  // namespace ul
