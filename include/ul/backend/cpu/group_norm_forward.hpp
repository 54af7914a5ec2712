#pragma once
// Group normalisation with its activation, channels last: one sweep for the statistics, one for the result.

#include <algorithm>
#include <cmath>

#include <ul/backend/cpu/channel_norm.hpp>
#include <ul/backend/cpu/sample_phases.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Over rows [0, rows) of x, for each channel: the sums of x - pivot and of its square. A pivot near the mean keeps the
// variance from cancelling. The sums wait in the cache while rows are read as they lie in memory.
template <class T>
void moments_of_run(const T* x, const T* pivot, extent rows, extent channels, T* plain, T* squares) {
  std::fill_n(plain, channels, T{0});
  std::fill_n(squares, channels, T{0});
  for_rows<T>(
      rows, channels, [=](auto together, extent at, extent c, auto lanes) __attribute__((always_inline)) {
        const pack<T> centre = read(pivot + c, lanes);
        pack<T> sum = read(plain + c, lanes), square = read(squares + c, lanes);
        unroll<together>([&](auto r) __attribute__((always_inline)) {
          const pack<T> d = read(x + at + r * channels, lanes) - centre;
          sum += d;
          square = muladd(d, d, square);
        });
        write(sum, plain + c, lanes);
        write(square, squares + c, lanes);
      });
}

}  // namespace simd

template <class T>
void run_on(executor& threads, memory_pool& memory, const group_norm_forward<T>& f) {
  const group_norm_shape& s = f.shape;
  const simd::norm_runs run_of{s};
  const extent C = s.channels, runs = run_of.count();
  const scratch<memory_pool, T> moments(memory, checked_mul(s.batch * runs, 2 * C, "group_norm"));
  const simd::spread_channels<T> spread(memory, s);

  const auto gather = [&](extent b, extent run) {
    T* const to = moments.data() + (b * runs + run) * 2 * C;
    simd::moments_of_run(f.x + run_of.first(b, run), f.x + run_of.first(b, 0), run_of.rows(run), C, to, to + C);
  };
  const auto finish = [&](extent b) {
    const T* const from = moments.data() + b * runs * 2 * C;
    const double positions = static_cast<double>(s.positions), count = static_cast<double>(s.count());
    for (extent g = 0; g < s.groups; ++g) {
      // Channels have pivots of their own: first each one's mean and squared deviations, then those of the group.
      double mean = 0, squares = 0;
      for (extent c = g * s.width(); c < (g + 1) * s.width(); ++c) {
        const double pivot = runs == 0 ? 0.0 : static_cast<double>(f.x[run_of.first(b, 0) + c]);
        const double plain = simd::sum_down(from + c, runs, 2 * C), square = simd::sum_down(from + C + c, runs, 2 * C);
        const double m = pivot + plain / positions, seen = static_cast<double>(c - g * s.width());
        squares += square - plain * plain / positions + (m - mean) * (m - mean) * positions * seen / (seen + 1);
        mean += (m - mean) / (seen + 1);
      }
      f.mean[b * s.groups + g] = static_cast<T>(mean);
      f.rstd[b * s.groups + g] = static_cast<T>(1 / std::sqrt((std::max)(squares, 0.0) / count + f.eps));
    }
    spread.fill(b, f.mean, f.rstd, f.weight, f.bias);
  };
  simd::with_activation(f.act, [&](auto act) {
    simd::run_phases(threads, s.batch, runs, 8 * simd::norm_run * C, gather, finish, [&](extent b, extent run) {
      const simd::channel_norm<T> norms = spread.at(b);
      const T* const x = f.x + run_of.first(b, run);
      T* const y = f.y + run_of.first(b, run);
      simd::for_rows<T>(
          run_of.rows(run), C, [=](auto together, extent at, extent c, auto lanes) __attribute__((always_inline)) {
            const simd::pack_norm<T> norm(norms, c, lanes);
            simd::unroll<together>([&](auto r) __attribute__((always_inline)) {
              const pack<T> z = norm.affine(simd::read(x + at + r * C, lanes) - norm.mean);
              simd::write(activate(decltype(act)::value, z), y + at + r * C, lanes);
            });
          });
    });
  });
}

}  // namespace UL_ISA
}  // namespace ul
