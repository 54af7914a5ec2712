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

template <activation A, class T, class Lanes>
UL_INLINE pack<T> gradient_before(const channel_norm<T>& norm, pack<T> centred, const T* dy, extent c, Lanes lanes) {
  const auto d = read(dy + c, lanes);
  if constexpr (A == activation::none)
    return d;
  else
    return d * activate_derivative(A, norm.affine(centred, c, lanes));
}

// Over a run of rows, for each channel: the sums of dz and of dz * (x - mean). Leaves dz at `keep`, unless that is
// null.
template <activation A, class T>
void gradient_sums_of_run(const channel_norm<T>& norm, const T* x, const T* dy, extent rows, extent channels, T* plain,
                          T* weighted, T* keep) {
  std::fill_n(plain, channels, T{0});
  std::fill_n(weighted, channels, T{0});
  for (extent row = 0, at = 0; row < rows; ++row, at += channels)
    for_packs<T>(channels, [=](extent c, auto lanes) {
      const auto centred = norm.centred(x + at, c, lanes);
      const auto dz = gradient_before<A>(norm, centred, dy + at, c, lanes);
      write(read(plain + c, lanes) + dz, plain + c, lanes);
      write(muladd(dz, centred, read(weighted + c, lanes)), weighted + c, lanes);
      if (keep != nullptr) write(dz, keep + at + c, lanes);
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
      const simd::channel_norm<T> norm = spread.at(b);
      const T *const tilt = lines.data() + b * 2 * C, *const offset = tilt + C;
      for (extent row = 0, at = run_of.first(b, run); row < run_of.rows(run); ++row, at += C)
        simd::for_packs<T>(C, [&](extent c, auto lanes) {
          const auto centred = norm.centred(f.x + at, c, lanes);
          const auto dz = kept != nullptr ? simd::read(kept + at + c, lanes)
                                          : simd::gradient_before<A>(norm, centred, f.dy + at, c, lanes);
          const auto rest = muladd(centred, simd::read(tilt + c, lanes), simd::read(offset + c, lanes));
          const auto dx = muladd(dz, simd::read(norm.slope + c, lanes), rest);
          simd::write_or_add(dx, f.dx + at + c, f.mode == store_mode::add, lanes);
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
