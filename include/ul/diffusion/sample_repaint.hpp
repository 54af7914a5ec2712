#pragma once

#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/state_geometry.hpp>

namespace ul {

struct repaint_options {
  extent first = 0;
  extent resamples = 10;  // times each step is made
};

// RePaint: ancestral sampling that keeps the known part (mask 1) at its noised value, and makes each step several
// times, noising back in between, so that the two parts come to agree. `resamples` denoiser calls a step; draw numbers
// are 3 (resamples i + r) and the two after it for step i, round r.
// Source: Lugmayr et al., arXiv 2201.09865, algorithm 1 with jumps of one step.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_repaint(Denoiser&& denoiser, State x, const State& mask, const State& known, const logsnr_grid& grid,
                     Noise&& noise, const repaint_options& options = {}, Observer&& observer = {}) {
  if (options.resamples < 1) fail("sample_repaint: ", options.resamples, " resamples, expected at least 1");
  for (extent i = grid.check_first(options.first, "sample_repaint"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const logsnr_grid step{t, s};
    State denoised = x;
    for (extent round = 0; round < options.resamples; ++round) {
      const extent draw = 3 * (options.resamples * i + round);
      if (round > 0) {
        const double c = t == s ? 0 : -expm1(t - s);
        x = combine(alpha(t) / alpha(s), x, sigma(t) * sqrt(c), State(noise(draw)));
      }
      x = sample_ancestral(
          denoiser, std::move(x), step, [&](extent) { return State(noise(draw + 1)); }, {},
          [&](const sampler_step<State>& made) { denoised = made.denoised; });
      x = blended(mask, s != logsnr_of_clean ? noised(known, State(noise(draw + 2)), s) : known, x);
    }
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace ul
