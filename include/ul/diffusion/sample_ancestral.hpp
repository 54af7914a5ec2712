#pragma once

#include <ul/diffusion/sampler.hpp>

namespace ul {

// The variance of q(x_s | x_t, x), lambda_s >= lambda_t: sigma_s^2 (1 - e^(lambda_t - lambda_s)).
// Source: Ho et al., arXiv 2006.11239, equation 7, in log-SNR.
inline double posterior_variance(double logsnr_t, double logsnr_s) {
  return logsnr_t == logsnr_s ? 0 : sigma_squared(logsnr_s) * -expm1(logsnr_t - logsnr_s);
}

struct ancestral_options {
  extent first = 0;
  double interpolation = 0;  // of the log-variance: 0 the posterior's (lower bound), 1 the upper bound
};

// Ancestral sampling: each step draws from q(x_s | x_t, x = x^), c = 1 - e^(lambda_t - lambda_s),
//   mean (sigma_s / sigma_t) e^((lambda_t - lambda_s) / 2) x_t + alpha_s c x^,  variance c sigma_s^2,
// or with `interpolation` v, c sigma_s^(2 - 2v) sigma_t^(2v). One denoiser call and one draw a step.
// Source: Ho et al., arXiv 2006.11239, algorithm 2, in the log-SNR form of Kingma et al., arXiv 2107.00630, equation
// 33; interpolation: Nichol and Dhariwal, arXiv 2102.09672, equation 15, with v constant.
template <sampler_state State, class Denoiser, class Noise, class Observer = no_observer>
State sample_ancestral(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                       const ancestral_options& options = {}, Observer&& observer = {}) {
  const double v = options.interpolation;
  if (!(v >= 0 && v <= 1)) fail("sample_ancestral: interpolation is ", v, ", expected 0 to 1");
  for (extent i = grid.check_first(options.first, "sample_ancestral"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    const State& denoised = detail::clean<State>(prediction);
    const double c = t == s ? 0 : -expm1(t - s);
    const double keep = sigma(s) / sigma(t) * exp((t - s) / 2);
    const double spread = sqrt(c) * exp((1 - v) * log_sigma(s) + v * log_sigma(t));
    x = spread > 0 ? combine(keep, x, alpha(s) * c, denoised, spread, State(noise(i)))
                   : combine(keep, x, alpha(s) * c, denoised);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace ul
