#pragma once
// The gradient of group normalisation and its activation: one sweep for the sums over each channel, one for dx. The
// gradient before the activation, dz, waits in dx between the two; where dx already holds something it is computed
// anew.

#include <algorithm>

#include <ul/backend/cpu/channel_norm.hpp>
#include <ul/backend/cpu/sample_phases.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <activation A, class T>
UL_INLINE pack<T> gradient_before(const pack_norm<T>& norm, pack<T> centred, pack<T> dy) {
  if constexpr (A == activation::none)
    return dy;
  else
    return dy * activate_derivative(A, norm.affine(centred));
}

// Over a run of rows, for each channel: the sums of dz and of dz * (x - mean). Leaves dz at `keep`, unless that is
// null.
template <activation A, class T>
void gradient_sums_of_run(const channel_norm<T>& norms, const T* x, const T* dy, extent rows, extent channels, T* plain,
                          T* weighted, T* keep) {
  std::fill_n(plain, channels, T{0});
  std::fill_n(weighted, channels, T{0});
  for_rows<T>(
      rows, channels, [=](auto together, extent at, extent c, auto lanes) __attribute__((always_inline)) {
        const pack_norm<T> norm(norms, c, lanes);
        pack<T> sum = read(plain + c, lanes), product = read(weighted + c, lanes);
        unroll<together>([&](auto r) __attribute__((always_inline)) {
          const extent i = at + r * channels;
          const pack<T> centred = read(x + i, lanes) - norm.mean;
          const pack<T> dz = gradient_before<A>(norm, centred, read(dy + i, lanes));
          sum += dz;
          product = muladd(dz, centred, product);
          if (keep != nullptr) write(dz, keep + i, lanes);
        });
        write(sum, plain + c, lanes);
        write(product, weighted + c, lanes);
      });
}

}  // namespace simd

// With g = gain * dz and n = (x - mean) * rstd: dx = rstd (g - mean(g) - n mean(g n)), which is
// slope * dz + (x - mean) * tilt + offset.
template <class T>
void run_on(executor& threads, memory_pool& memory, const group_norm_backward<T>& f) {
  const group_norm_shape& s = f.shape;
  const simd::norm_runs run_of{s};
  const extent C = s.channels, runs = run_of.count();
  const scratch<memory_pool, T> partial(memory, checked_mul(s.batch * runs, 2 * C, "group_norm"));
  const scratch<memory_pool, double> sums(memory, checked_mul(s.batch, 2 * C, "group_norm"));
  const scratch<memory_pool, T> lines(memory, checked_mul(s.batch, 2 * C, "group_norm"));
  const simd::spread_channels<T> spread(memory, s);
  for_each_on(threads, s.batch, 4 * C, [&](extent b) { spread.fill(b, f.mean, f.rstd, f.weight, f.bias); });
  T* const kept = f.mode == store_mode::replace && f.act != activation::none ? f.dx : nullptr;

  const auto finish = [&](extent b) {
    double* const sum = sums.data() + b * 2 * C;
    T *const tilt = lines.data() + b * 2 * C, *const offset = tilt + C;
    const double count = static_cast<double>(s.count());
    for (extent c = 0; c < 2 * C; ++c) sum[c] = simd::sum_down(partial.data() + b * runs * 2 * C + c, runs, 2 * C);
    for (extent g = 0; g < s.groups; ++g) {
      const double rstd = static_cast<double>(f.rstd[b * s.groups + g]);
      double plain = 0, weighted = 0;
      for (extent c = g * s.width(); c < (g + 1) * s.width(); ++c) {
        const double gain = f.weight == nullptr ? 1.0 : static_cast<double>(f.weight[c]);
        sum[C + c] *= rstd;
        plain += gain * sum[c];
        weighted += gain * sum[C + c];
      }
      for (extent c = g * s.width(); c < (g + 1) * s.width(); ++c) {
        tilt[c] = static_cast<T>(-rstd * rstd * weighted / count);
        offset[c] = static_cast<T>(-rstd * plain / count);
      }
    }
  };
  simd::with_activation(f.act, [&](auto act) {
    constexpr activation A = decltype(act)::value;
    const auto gather = [&](extent b, extent run) {
      T* const to = partial.data() + (b * runs + run) * 2 * C;
      const extent at = run_of.first(b, run);
      simd::gradient_sums_of_run<A>(spread.at(b), f.x + at, f.dy + at, run_of.rows(run), C, to, to + C,
                                    kept == nullptr ? nullptr : kept + at);
    };
    const auto result = [&](extent b, extent run) {
      if (f.dx == nullptr) return;
      const simd::channel_norm<T> norms = spread.at(b);
      const T *const tilt = lines.data() + b * 2 * C, *const offset = tilt + C;
      const extent first = run_of.first(b, run);
      const T *const x = f.x + first, *const dy = f.dy + first;
      T* const dx = f.dx + first;
      const bool waiting = kept != nullptr, add = f.mode == store_mode::add;
      simd::for_rows<T>(
          run_of.rows(run), C, [=](auto together, extent at, extent c, auto lanes) __attribute__((always_inline)) {
            const simd::pack_norm<T> norm(norms, c, lanes);
            const pack<T> slant = simd::read(tilt + c, lanes), shift = simd::read(offset + c, lanes);
            simd::unroll<together>([&](auto r) __attribute__((always_inline)) {
              const extent i = at + r * C;
              const pack<T> centred = simd::read(x + i, lanes) - norm.mean;
              const pack<T> dz = waiting ? simd::read(dx + i, lanes)
                                         : simd::gradient_before<A>(norm, centred, simd::read(dy + i, lanes));
              simd::write_or_add(muladd(dz, norm.slope, muladd(centred, slant, shift)), dx + i, add, lanes);
            });
          });
    };
    simd::run_phases(threads, s.batch, runs, 24 * simd::norm_run * C, gather, finish, result);
  });
  for (extent c = 0; c < C; ++c) {
    if (f.dbias != nullptr) f.dbias[c] += static_cast<T>(simd::sum_down(sums.data() + c, s.batch, 2 * C));
    if (f.dweight != nullptr) f.dweight[c] += static_cast<T>(simd::sum_down(sums.data() + C + c, s.batch, 2 * C));
  }
}

}  // namespace UL_ISA
}  // namespace ul
