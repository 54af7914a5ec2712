#pragma once

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct dpmpp_2s_options {
  extent first = 0;
  double middle = 0.5;  // where the second call is made, as a share of the step of log-SNR
};

namespace detail {

// Half-log-SNR steps. An ancestral step of eta > 0 goes down to sigma_down and back up by noise.
template <class State, class Noise>
State dpmpp_2s_move(const State& x, const State& denoised, double t, double s, double eta, extent draw, Noise& noise) {
  const double c = t == s ? 0 : -expm1(t - s), up = eta * sqrt(c);
  const double down = sqrt(1 - up * up);  // of sigma_s
  const double keep = sigma(s) / sigma(t) * down, gain = s == logsnr_of_clean ? 1 : alpha(s) - keep * alpha(t);
  const double spread = sigma(s) * up;
  return spread > 0 ? combine(keep, x, gain, denoised, spread, State(noise(draw))) : combine(keep, x, gain, denoised);
}

template <class State, class Denoiser, class Noise, class Observer>
State run_dpmpp_2s(const char* name, Denoiser& denoiser, State x, const logsnr_grid& grid, double eta, Noise& noise,
                   const dpmpp_2s_options& options, Observer& observer) {
  const double r = options.middle;
  if (!(r > 0 && r <= 1)) fail(name, ": middle is ", r, ", expected above 0 and at most 1");
  for (extent i = grid.check_first(options.first, name); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    State denoised = clean<State>(prediction);
    if (s != t && s != logsnr_of_clean) {
      const double middle = t + r * (s - t);
      const State half_way = dpmpp_2s_move(x, denoised, t, middle, eta, 2 * i, noise);
      const auto second = denoiser(half_way, middle);
      denoised = combine(1 - 0.5 / r, denoised, 0.5 / r, clean<State>(second));
    }
    x = dpmpp_2s_move(x, denoised, t, s, eta, 2 * i + 1, noise);
    if (stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace detail

// DPM-Solver++ (2S), midpoint form: two denoiser calls a step, one for a step to clean data. Order 2.
// Source: Lu et al., arXiv 2211.01095, algorithm 1.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_dpmpp_2s(Denoiser&& denoiser, State x, const logsnr_grid& grid, const dpmpp_2s_options& options = {},
                      Observer&& observer = {}) {
  const detail::no_noise<State> noise{"sample_dpmpp_2s"};
  return detail::run_dpmpp_2s("sample_dpmpp_2s", denoiser, std::move(x), grid, 0, noise, options, observer);
}

struct dpmpp_2s_sde_options {
  extent first = 0;
  double middle = 0.5;
  double eta = 1;  // 0 is the ODE
};

// Its stochastic form, both moves ancestral: two denoiser calls and two draws, numbers 2 i and 2 i + 1, in step i.
// Source: Crowson, k-diffusion (sample_dpmpp_sde).
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_dpmpp_2s_sde(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                          const dpmpp_2s_sde_options& options = {}, Observer&& observer = {}) {
  if (!(options.eta >= 0 && options.eta <= 1)) fail("sample_dpmpp_2s_sde: eta is ", options.eta, ", expected 0 to 1");
  return detail::run_dpmpp_2s("sample_dpmpp_2s_sde", denoiser, std::move(x), grid, options.eta, noise,
                              {options.first, options.middle}, observer);
}

// The published single-step form on a grid whose every other level is the middle of a step: a step of order 1 to the
// middle, then one of order 2 from where that began. One denoiser call a step. Begun at an odd level it first makes a
// step of order 1.
// Source: Hugging Face diffusers (DPMSolverSinglestepScheduler, order 2).
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_dpmpp_2s_paired(Denoiser&& denoiser, State x, const logsnr_grid& grid, extent first = 0,
                             Observer&& observer = {}) {
  const detail::no_noise<State> noise{"sample_dpmpp_2s_paired"};
  State anchor{}, anchor_denoised{};
  bool anchored = false;
  for (extent i = grid.check_first(first, "sample_dpmpp_2s_paired"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    const State& denoised = detail::clean<State>(prediction);
    if (i % 2 == 1 && anchored && grid[i - 1] != t && s != logsnr_of_clean) {
      const double start = grid[i - 1], share = 0.5 * (s - start) / (t - start);
      const State mixed = combine(1 - share, anchor_denoised, share, denoised);
      x = detail::dpmpp_2s_move(anchor, mixed, start, s, 0, i, noise);
    } else {
      anchor = x;
      anchor_denoised = denoised;
      anchored = i % 2 == 0;
      x = detail::dpmpp_2s_move(x, denoised, t, s, 0, i, noise);
    }
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace ul
