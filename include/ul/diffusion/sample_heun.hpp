#pragma once

#include <ul/diffusion/churn.hpp>

namespace ul {

struct heun_options {
  extent first = 0;
  churn_options churn = {};
};

// EDM's sampler: Heun's method in sigma, with churn. Two denoiser calls a step, one for a step to clean data. Order 2.
// Source: Karras et al., arXiv 2206.00364, algorithm 2.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_heun(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                  const heun_options& options = {}, Observer&& observer = {}) {
  for (extent i = grid.check_first(options.first, "sample_heun"); i < grid.steps(); ++i) {
    const double s = grid[i + 1], t = detail::churned(x, grid[i], options.churn, i, grid.steps(), noise);
    const auto prediction = denoiser(std::as_const(x), t);
    State next = detail::ddim_step(x, prediction, t, s);
    if (s != logsnr_of_clean) {
      const auto corrected = denoiser(std::as_const(next), s);
      const double half = alpha(s) * (edm_sigma(s) - edm_sigma(t)) / 2;
      const State first = detail::noise_of(x, prediction, t), second = detail::noise_of(next, corrected, s);
      next = combine(alpha(s) / alpha(t), x, half, first, half, second);
    }
    x = std::move(next);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_heun(Denoiser&& denoiser, State x, const logsnr_grid& grid, const heun_options& options = {},
                  Observer&& observer = {}) {
  return sample_heun(denoiser, std::move(x), grid, detail::no_noise<State>{"sample_heun"}, options, observer);
}

}  // namespace ul
