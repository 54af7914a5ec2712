#pragma once

#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/sample_mean.hpp>
#include <ul/diffusion/sampler.hpp>
#include <ul/diffusion/state_geometry.hpp>
#include <ul/diffusion/time_sampling.hpp>

namespace ul {

// The bound of one state in nats, its diffusion term estimated. The reconstruction term is the caller's to add.
struct bound_estimate {
  bound mean;
  double standard_error;  // of mean.nats(), from the spread of the draws
};

namespace detail {

template <plain_state State>
double terminal_of(const State& x, double logsnr) {
  const double kept = alpha_squared(logsnr), per_dimension = terminal_kl(0.0, logsnr);
  return kept * inner(x, x) / 2 + per_dimension * static_cast<double>(size_of(x));
}
// ||x - x^||^2 at one level, for one noise.
template <plain_state State, class Denoiser>
double squared_error_at(Denoiser& denoiser, const State& x, const State& eps, double logsnr) {
  const auto prediction = denoiser(noised(x, eps, logsnr), logsnr);
  const State error = combine(1.0, x, -1.0, clean<State>(prediction));
  return inner(error, error);
}

}  // namespace detail

// The continuous-time bound, one denoiser call at each of `draws` times stratified from u in [0, 1); draw i of the
// noise goes with time i. Stratification makes the true error smaller than the one stated. Source: Kingma et al., arXiv
// 2107.00630, equations 11 and 17.
template <detail::plain_state State, class Denoiser, schedule S, noise_source<State> Noise>
bound_estimate estimate_bound(Denoiser&& denoiser, const State& x, const S& s, extent draws, double u, Noise&& noise) {
  if (draws < 1) fail("estimate_bound: ", draws, " draws, expected at least 1");
  sample_mean diffusion;
  for (extent i = 0; i < draws; ++i) {
    const auto c = coefficients_at(s, elbo_weight{}, x_prediction{}, stratified(u, i, draws));
    diffusion.add(c.weight * detail::squared_error_at(denoiser, x, State(noise(i)), c.logsnr));
  }
  return {{diffusion.mean(), detail::terminal_of(x, s.logsnr(1.0)), 0}, diffusion.standard_error()};
}

// The discrete-time bound of the chain through a grid's levels: every step once in each of `draws` rounds, with noise
// number steps * round + step.
// Source: Kingma et al., arXiv 2107.00630, equations 11 to 13.
template <detail::plain_state State, class Denoiser, noise_source<State> Noise>
bound_estimate estimate_discrete_bound(Denoiser&& denoiser, const State& x, const logsnr_grid& grid, extent draws,
                                       Noise&& noise) {
  if (draws < 1) fail("estimate_discrete_bound: ", draws, " draws, expected at least 1");
  sample_mean diffusion;
  for (extent round = 0; round < draws; ++round) {
    double nats = 0;
    for (extent i = 0; i < grid.steps(); ++i) {
      const State eps = noise(grid.steps() * round + i);
      nats +=
          discrete_weight(grid[i], grid[i + 1]) * snr(grid[i]) * detail::squared_error_at(denoiser, x, eps, grid[i]);
    }
    diffusion.add(nats);
  }
  return {{diffusion.mean(), detail::terminal_of(x, grid[0]), 0}, diffusion.standard_error()};
}

}  // namespace ul
