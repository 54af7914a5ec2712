#pragma once

#include <ul/diffusion/sampler.hpp>

namespace ul {

// EDM's churn: before a step whose sigma lies in [sigma_min, sigma_max], noise is added until sigma has grown by
// 1 + min(amount / steps, sqrt(2) - 1). An amount of 0 leaves a sampler deterministic.
// Source: Karras et al., arXiv 2206.00364, algorithm 2.
struct churn_options {
  double amount = 0;
  double sigma_min = 0;
  double sigma_max = logsnr_of_clean;
  double noise_scale = 1;
};

namespace detail {

// Adds the noise of step i and returns the level reached.
template <class State, class Noise>
double churned(State& x, double logsnr, const churn_options& o, extent i, extent steps, Noise& noise) {
  const double s = edm_sigma(logsnr);
  if (!(o.amount > 0) || s < o.sigma_min || s > o.sigma_max) return logsnr;
  const double growth = minimum(o.amount / static_cast<double>(steps), sqrt(2.0) - 1);
  const double to = logsnr - 2 * log1p(growth);
  const double spread = o.noise_scale * s * sqrt(growth * (2 + growth));
  x = combine(alpha(to) / alpha(logsnr), x, alpha(to) * spread, State(noise(i)));
  return to;
}

}  // namespace detail
}  // namespace ul
