#pragma once
// The gradient of group normalisation and its activation: one sweep for the sums over each channel, one for dx. Both
// compute the gradient before the activation, dz, anew: that is cheaper than a third array.

#include <ul/backend/cpu/channel_norm.hpp>
#include <ul/backend/cpu/sample_phases.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class T>
struct norm_gradient {
  pack<T> normalised, dz;
};

template <activation A, class T, class Lanes>
UL_INLINE norm_gradient<T> gradient_before(const channel_norm<T>& norm, const T* x, const T* dy, extent c,
                                           Lanes lanes) {
  const auto n = norm.normalised(read(x + c, lanes), c, lanes);
  if constexpr (A == activation::none)
    return {n, read(dy + c, lanes)};
  else
    return {n, read(dy + c, lanes) * activate_derivative(A, norm.affine(n, c, lanes))};
}

// Over a run of rows, for each channel: the sums of dz and of dz times the normalised value.
template <activation A, class T>
void gradient_sums_of_run(const channel_norm<T>& norm, const T* x, const T* dy, extent rows, extent channels, T* plain,
                          T* weighted) {
  for_packs<T>(channels, [&](extent c, auto lanes) {
    pack<T> p(T{0}), w(T{0});
    for (extent row = 0; row < rows; ++row) {
      const auto g = gradient_before<A>(norm, x + row * channels, dy + row * channels, c, lanes);
      p += g.dz;
      w = muladd(g.dz, g.normalised, w);
    }
    write(p, plain + c, lanes);
    write(w, weighted + c, lanes);
  });
}

}  // namespace simd

// With g = gain * dz: dx = rstd (g - mean(g) - n mean(g n)).
template <class T>
void run_on(executor& threads, memory_pool& memory, const group_norm_backward<T>& f) {
  const group_norm_shape& s = f.shape;
  const simd::norm_runs run_of{s};
  const extent C = s.channels, runs = run_of.count();
  const scratch<memory_pool, T> partial(memory, checked_mul(s.batch * runs, 2 * C, "group_norm"));
  const scratch<memory_pool, double> sums(memory, checked_mul(s.batch, 2 * C, "group_norm"));
  const scratch<memory_pool, T> means(memory, checked_mul(s.batch, 2 * C, "group_norm"));
  const simd::spread_channels<T> spread(memory, s);
  for (extent b = 0; b < s.batch; ++b) spread.fill(b, f.mean, f.rstd, f.weight, f.bias);

  const auto finish = [&](extent b) {
    double* const sum = sums.data() + b * 2 * C;
    T* const mean = means.data() + b * 2 * C;
    const double count = static_cast<double>(s.count());
    for (extent c = 0; c < 2 * C; ++c) sum[c] = simd::sum_down(partial.data() + b * runs * 2 * C + c, runs, 2 * C);
    for (extent first = 0; first < C; first += s.width()) {
      double plain = 0, weighted = 0;
      for (extent c = first; c < first + s.width(); ++c) {
        const double gain = f.weight == nullptr ? 1.0 : static_cast<double>(f.weight[c]);
        plain += gain * sum[c];
        weighted += gain * sum[C + c];
      }
      for (extent c = first; c < first + s.width(); ++c) {
        mean[c] = static_cast<T>(plain / count);
        mean[C + c] = static_cast<T>(weighted / count);
      }
    }
  };
  simd::with_activation(f.act, [&](auto act) {
    constexpr activation A = decltype(act)::value;
    const auto gather = [&](extent b, extent run) {
      T* const to = partial.data() + (b * runs + run) * 2 * C;
      const extent at = run_of.first(b, run);
      simd::gradient_sums_of_run<A>(spread.at(b), f.x + at, f.dy + at, run_of.rows(run), C, to, to + C);
    };
    const auto result = [&](extent b, extent run) {
      if (f.dx == nullptr) return;
      const simd::channel_norm<T> norm = spread.at(b);
      const T* const mean = means.data() + b * 2 * C;
      for (extent row = 0, at = run_of.first(b, run); row < run_of.rows(run); ++row, at += C)
        simd::for_packs<T>(C, [&](extent c, auto lanes) {
          const auto g = simd::gradient_before<A>(norm, f.x + at, f.dy + at, c, lanes);
          const auto centred = muladd(g.dz, simd::read(norm.gain + c, lanes), -simd::read(mean + c, lanes));
          const auto dx =
              simd::read(norm.rstd + c, lanes) * muladd(-g.normalised, simd::read(mean + C + c, lanes), centred);
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
