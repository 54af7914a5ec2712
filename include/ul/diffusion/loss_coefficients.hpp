#pragma once

#include <ul/diffusion/prediction.hpp>
#include <ul/diffusion/schedule.hpp>
#include <ul/diffusion/weighting.hpp>

namespace ul {

// All that one sample's training loss needs from schedule, weighting and prediction, as numbers:
//   x_t = alpha x + sigma eps,  the network sees input * x_t and predicts F = target.x x + target.eps eps,
//   loss = weight * sum over the sample's dimensions of (F - F^)^2, in nats,
// whose mean over uniform t is the weighted bound 1/2 integral of w ||eps - eps^||^2 d lambda (a weighting over time:
// the mean of w ||eps - eps^||^2).
struct loss_coefficients {
  double logsnr, alpha, sigma;
  target_coefficients<double> target;
  double input;
  double weight;
};

// The coefficients at time t. `density` is that of the distribution t was drawn from, where that is not uniform.
// Throws ul::error for t outside [0, 1] and a schedule that does not fall there.
// Source: Kingma et al., arXiv 2107.00630, equation 17; Heek et al., arXiv 2602.17270, equations 3 and 4, with the sign
// of d lambda / dt put right.
template <schedule S, weighting W, prediction P>
loss_coefficients coefficients_at(const S& schedule, const W& weighting, const P& prediction, double t,
                                  double density = 1) {
  check_time("coefficients_at", t);
  const double logsnr = schedule.logsnr(t), slope = schedule.dlogsnr(t);
  if (!(slope <= 0)) fail("coefficients_at: d log-SNR / dt is ", slope, " at t = ", t, ", expected a negative one");
  if (!(density > 0)) fail("coefficients_at: the density is ", density, " at t = ", t, ", expected a positive one");
  const double measure = over_time<W> ? 1 : -slope / 2;
  const double weight = measure * weighting(logsnr) * prediction.eps_error(logsnr) / density;
  return {logsnr, alpha(logsnr), sigma(logsnr), prediction.target(logsnr), prediction.input(logsnr), weight};
}

}  // namespace ul
