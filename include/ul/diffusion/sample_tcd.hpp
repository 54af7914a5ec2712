#pragma once

#include <vector>

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct tcd_options {
  extent first = 0;
  std::vector<double> inner =
      {};  // per step, the level it denoises to, at or above the step's end; none: the end itself
};

// Trajectory consistency sampling: each step denoises to an inner level, x_r = alpha_r x^ + sigma_r eps^, and is noised
// back to its end. Deterministic where the two agree. One call a step.
// Source: Zheng et al., TCD, arXiv 2402.19159, algorithm 4.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_tcd(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise, const tcd_options& options = {},
                 Observer&& observer = {}) {
  if (!options.inner.empty() && static_cast<extent>(options.inner.size()) != grid.steps())
    fail("sample_tcd: ", options.inner.size(), " inner levels for ", grid.steps(), " steps");
  for (extent i = grid.check_first(options.first, "sample_tcd"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const double inner = options.inner.empty() ? s : options.inner[static_cast<std::size_t>(i)];
    if (!(inner >= s)) fail("sample_tcd: inner level ", i, " is ", inner, ", expected at least ", s);
    const auto prediction = denoiser(std::as_const(x), t);
    const double kept = inner == s ? 1 : alpha(s) / alpha(inner);
    const double spread = inner == s ? 0 : sigma(s) * sqrt(-expm1(s - inner));
    x = detail::blend_step(0.0, x, kept * alpha(inner), prediction, kept * sigma(inner), t);
    if (spread > 0) x = combine(1.0, x, spread, State(noise(i)));
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

// The inner levels of stochasticity gamma: a step to time s denoises to (1 - gamma) s. 0 is deterministic, 1 is
// multistep consistency sampling (inner levels at time 0).
template <schedule S>
std::vector<double> tcd_levels(const S& schedule, const logsnr_grid& grid, double gamma) {
  if (!(gamma >= 0 && gamma <= 1)) fail("tcd_levels: gamma is ", gamma, ", expected 0 to 1");
  std::vector<double> inner;
  for (extent i = 1; i <= grid.steps(); ++i)
    inner.push_back(gamma == 0 ? grid[i] : schedule.logsnr((1 - gamma) * schedule.time(grid[i])));
  return inner;
}

}  // namespace ul
