#pragma once

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct dpmpp_2m_options {
  extent first = 0;
  bool first_order_end = false;  // a last step of order 1, as published runs of few steps have it
};

namespace detail {

// eta = 0: the ODE; eta = 1: the SDE. h is half the step of log-SNR, as in the paper.
template <class State, class Denoiser, class Noise, class Observer>
State run_dpmpp_2m(const char* name, Denoiser& denoiser, State x, const logsnr_grid& grid, double eta, Noise& noise,
                   const dpmpp_2m_options& options, Observer& observer) {
  State before{};  // x^ of the step before
  double h_before = 0;
  for (extent i = grid.check_first(options.first, name); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1], h = t == s ? 0 : (s - t) / 2;
    const double damped = eta == 0 ? 0 : eta * h;  // h is infinite in a step to clean data
    const auto prediction = denoiser(std::as_const(x), t);
    State denoised = clean<State>(prediction);
    const double keep = sigma(s) / sigma(t) * exp(-damped), gain = -alpha(s) * expm1(-(1 + eta) * h);
    const bool first_order =
        h_before == 0 || s == logsnr_of_clean || (options.first_order_end && i + 1 == grid.steps());
    const double slope = first_order ? 0 : gain * h / (2 * h_before), spread = sigma(s) * sqrt(-expm1(-2 * damped));
    x = first_order ? combine(keep, x, gain, denoised) : combine(keep, x, gain + slope, denoised, -slope, before);
    if (spread > 0) x = combine(1.0, x, spread, State(noise(i)));
    before = std::move(denoised);
    h_before = h;
    if (stops(observer, sampler_step<State>{i, grid.steps(), t, s, before, x})) break;
  }
  return x;
}

}  // namespace detail

// DPM-Solver++ (2M), midpoint form: x^ is extrapolated linearly in log-SNR from the last two calls. One denoiser call a
// step. Order 2; the first step is of order 1.
// Source: Lu et al., arXiv 2211.01095, algorithm 2.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_dpmpp_2m(Denoiser&& denoiser, State x, const logsnr_grid& grid, const dpmpp_2m_options& options = {},
                      Observer&& observer = {}) {
  const detail::no_noise<State> noise{"sample_dpmpp_2m"};
  return detail::run_dpmpp_2m("sample_dpmpp_2m", denoiser, std::move(x), grid, 0, noise, options, observer);
}

struct dpmpp_2m_sde_options {
  extent first = 0;
  bool first_order_end = false;
  double eta = 1;  // 0 is the ODE
};

// SDE-DPM-Solver++ (2M): the same for the reverse SDE, one draw a step.
// Source: Lu et al., arXiv 2211.01095, equation 18; eta: Crowson, k-diffusion (sample_dpmpp_2m_sde).
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_dpmpp_2m_sde(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                          const dpmpp_2m_sde_options& options = {}, Observer&& observer = {}) {
  if (!(options.eta >= 0)) fail("sample_dpmpp_2m_sde: eta is ", options.eta, ", expected at least 0");
  return detail::run_dpmpp_2m("sample_dpmpp_2m_sde", denoiser, std::move(x), grid, options.eta, noise,
                              {options.first, options.first_order_end}, observer);
}

}  // namespace ul
