#pragma once
// Samplers for networks that jump to clean data in one call and are noised again between calls.

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct consistency_options {
  extent first = 0;
  double sigma_min = 0;  // EDM's sigma at which the network is the identity; 0 for latent consistency models
};

// x_s = alpha_s (x^ + sqrt(sigma_s^2 - sigma_min^2) n), sigma_s at least sigma_min. One call a step, and a draw in each
// but a last step to sigma_min.
// Source: Song et al., Consistency Models, arXiv 2303.01469, algorithm 1.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_consistency(Denoiser&& consistency, State x, const logsnr_grid& grid, Noise&& noise,
                         const consistency_options& options = {}, Observer&& observer = {}) {
  for (extent i = grid.check_first(options.first, "sample_consistency"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1], low = options.sigma_min;
    const auto prediction = consistency(std::as_const(x), t);
    const State& denoised = detail::clean<State>(prediction);
    const double high = maximum(edm_sigma(s), low), spread = sqrt((high - low) * (high + low));
    x = spread > 0 ? combine(alpha(s), denoised, alpha(s) * spread, State(noise(i))) : combine(alpha(s), denoised);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, denoised, x})) break;
  }
  return x;
}

// Latent consistency sampling: the same with sigma_min = 0, x_s = alpha_s x^ + sigma_s n.
// Source: Luo et al., arXiv 2310.04378, algorithm 3.
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_lcm(Denoiser&& consistency, State x, const logsnr_grid& grid, Noise&& noise, extent first = 0,
                 Observer&& observer = {}) {
  return sample_consistency(consistency, std::move(x), grid, noise, {.first = first}, observer);
}

// The coefficients of x + sigma n and of the network's output that make a consistency function, the identity at
// sigma_min. Source: Song et al., arXiv 2303.01469, appendix C.
inline recovery_coefficients<double> consistency_boundary(double sigma, double sigma_min = 0.002,
                                                          double sigma_data = 0.5) {
  const double d2 = sigma_data * sigma_data, above = sigma - sigma_min;
  return {d2 / (above * above + d2), sigma_data * above / sqrt(sigma * sigma + d2)};
}

// The same for latent consistency models, of the state x_t and x^, in their discrete time.
// Source: Luo et al., arXiv 2310.04378, and their code (time scale 10, sigma_data 0.5).
inline recovery_coefficients<double> lcm_boundary(double time, double time_scale = 10, double sigma_data = 0.5) {
  const double s = time_scale * time, r2 = s * s + sigma_data * sigma_data;
  return {sigma_data * sigma_data / r2, s / sqrt(r2)};
}

}  // namespace ul
