#pragma once

#include <ul/diffusion/churn.hpp>
#include <ul/diffusion/sample_ddim.hpp>

namespace ul {

struct euler_options {
  extent first = 0;
  churn_options churn = {};
};

// Euler's method in EDM's sigma, which without churn is DDIM, and is Euler's method in flow time too: all three move
// x^ and eps^ along unchanged. One denoiser call a step. Order 1.
// Source: Karras et al., arXiv 2206.00364, algorithm 2 without its correction.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_euler(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                   const euler_options& options = {}, Observer&& observer = {}) {
  for (extent i = grid.check_first(options.first, "sample_euler"); i < grid.steps(); ++i) {
    const double s = grid[i + 1], t = detail::churned(x, grid[i], options.churn, i, grid.steps(), noise);
    const auto prediction = denoiser(std::as_const(x), t);
    x = detail::ddim_step(x, prediction, t, s);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_euler(Denoiser&& denoiser, State x, const logsnr_grid& grid, const euler_options& options = {},
                   Observer&& observer = {}) {
  return sample_euler(denoiser, std::move(x), grid, detail::no_noise<State>{"sample_euler"}, options, observer);
}

// Euler's step down to a level below the next and noise back up to it: k-diffusion's ancestral Euler sampler, which
// is DDIM with its eta.
// Source: Crowson, k-diffusion (sample_euler_ancestral).
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_euler_ancestral(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                             const ddim_options& options = {.eta = 1}, Observer&& observer = {}) {
  return sample_ddim(denoiser, std::move(x), grid, noise, options, observer);
}

}  // namespace ul
