#pragma once
// Samplers in the time s = sigma / (alpha + sigma) of the straight line, whose state is x_t / (alpha + sigma) and whose
// velocity is u = eps^ - x^. Euler's method in flow time is sample_euler: it moves x^ and eps^ along unchanged.

#include <ul/diffusion/sample_euler.hpp>

namespace ul {

template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_flow_euler(Denoiser&& denoiser, State x, const logsnr_grid& grid, const euler_options& options = {},
                        Observer&& observer = {}) {
  return sample_euler(denoiser, std::move(x), grid, options, observer);
}

struct flow_heun_options {
  extent first = 0;
};

// Heun's method in flow time. Two denoiser calls a step, one for a step to clean data. Order 2.
// Source: Ma et al., SiT, arXiv 2401.08740, section 2.4.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_flow_heun(Denoiser&& denoiser, State x, const logsnr_grid& grid, const flow_heun_options& options = {},
                       Observer&& observer = {}) {
  for (extent i = grid.check_first(options.first, "sample_flow_heun"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    State next = detail::ddim_step(x, prediction, t, s);
    if (s != logsnr_of_clean) {
      const auto corrected = denoiser(std::as_const(next), s);
      const State first = detail::blend_step(0.0, x, -1.0, prediction, 1.0, t);
      const State second = detail::blend_step(0.0, next, -1.0, corrected, 1.0, s);
      const double scale = alpha(s) + sigma(s), half = scale * (flow_time(s) - flow_time(t)) / 2;
      next = combine(scale / (alpha(t) + sigma(t)), x, half, first, half, second);
    }
    x = std::move(next);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

// How strong the noise of the flow SDE is at flow time s, times `strength`.
enum class flow_diffusion { constant, linear, quadratic };  // 1, s, s^2

// What the last step does: the same as the others; the same without its noise; a deterministic step, which to clean
// data returns x^ (Tweedie's formula).
enum class flow_last_step { noisy, mean, deterministic };

struct flow_sde_options {
  extent first = 0;
  flow_diffusion diffusion = flow_diffusion::linear;
  double strength = 1;
  flow_last_step last = flow_last_step::mean;
};

// The SDE with the flow's marginals, dx = (u + w eps^ / (2 s)) ds + sqrt(w) dW, by Euler and Maruyama. One denoiser
// call and one draw a step.
// Source: Ma et al., SiT, arXiv 2401.08740, equations 6 and 7 (the score is -eps^ / s) and table 2.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_flow_sde(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                      const flow_sde_options& options = {}, Observer&& observer = {}) {
  if (!(options.strength >= 0)) fail("sample_flow_sde: strength is ", options.strength, ", expected at least 0");
  for (extent i = grid.check_first(options.first, "sample_flow_sde"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1], from = flow_time(t), step = flow_time(s) - from;
    const bool last = i + 1 == grid.steps();
    const auto prediction = denoiser(std::as_const(x), t);
    const State& denoised = detail::clean<State>(prediction);
    if (last && options.last == flow_last_step::deterministic) {
      x = detail::ddim_step(x, prediction, t, s);
    } else {
      const double w = options.strength * (options.diffusion == flow_diffusion::constant ? 1
                                           : options.diffusion == flow_diffusion::linear ? from
                                                                                         : from * from);
      const double scale = alpha(s) + sigma(s), kept = scale / (alpha(t) + sigma(t));
      const double spread = last && options.last == flow_last_step::mean ? 0 : scale * sqrt(-w * step);
      x = detail::blend_step(kept, x, -scale * step, prediction, scale * step * (1 + w / (2 * from)), t);
      if (spread > 0) x = combine(1.0, x, spread, State(noise(i)));
    }
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace ul
