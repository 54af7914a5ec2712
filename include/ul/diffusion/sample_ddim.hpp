#pragma once

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct ddim_options {
  extent first = 0;
  double eta = 0;  // 0 deterministic, 1 ancestral
};

// DDIM: x_s = alpha_s x^ + sigma_s sqrt(1 - eta^2 c) eps^ + eta sigma_s sqrt(c) n, c = 1 - e^(lambda_t - lambda_s). One
// denoiser call a step, and a draw where eta > 0. Order 1 for eta = 0.
// Source: Song et al., arXiv 2010.02502, equations 12 and 16.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_ddim(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                  const ddim_options& options = {}, Observer&& observer = {}) {
  const double eta = options.eta;
  if (!(eta >= 0 && eta <= 1)) fail("sample_ddim: eta is ", eta, ", expected 0 to 1");
  for (extent i = grid.check_first(options.first, "sample_ddim"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    const double c = t == s ? 0 : -expm1(t - s);
    const double spread = eta * sigma(s) * sqrt(c);
    x = detail::blend_step(0.0, x, alpha(s), prediction, sigma(s) * sqrt(1 - eta * eta * c), t);
    if (spread > 0) x = combine(1.0, x, spread, State(noise(i)));
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_ddim(Denoiser&& denoiser, State x, const logsnr_grid& grid, const ddim_options& options = {},
                  Observer&& observer = {}) {
  return sample_ddim(denoiser, std::move(x), grid, detail::no_noise<State>{"sample_ddim"}, options, observer);
}

// DDIM backwards, from a state at the last level to one at the first: the noise that DDIM would make it from, to first
// order. Steps are counted along the way, `first` too.
// Source: Song et al., arXiv 2010.02502, section 4.3; Dhariwal and Nichol, arXiv 2105.05233, appendix F.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State invert_ddim(Denoiser&& denoiser, State x, const logsnr_grid& grid, const ddim_options& options = {},
                  Observer&& observer = {}) {
  if (options.eta != 0) fail("invert_ddim: eta is ", options.eta, ", expected 0");
  for (extent i = grid.check_first(options.first, "invert_ddim"); i < grid.steps(); ++i) {
    const double s = grid[grid.steps() - i], t = grid[grid.steps() - i - 1];
    const auto prediction = denoiser(std::as_const(x), s);
    x = detail::ddim_step(x, prediction, s, t);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), s, t, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

}  // namespace ul
