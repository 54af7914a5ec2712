#pragma once
// Gaussian data N(mean, scale^2) with their exact denoiser, for which every sampler's result is known.

#include <cmath>

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/state.hpp>

struct gaussian {
  double mean = 0, scale = 1;

  double variance(double logsnr) const { return ul::alpha_squared(logsnr) * scale * scale + ul::sigma_squared(logsnr); }
  double denoise(double x, double logsnr) const {
    const double a = ul::alpha(logsnr);
    return mean + a * scale * scale / variance(logsnr) * (x - a * mean);
  }
  double operator()(double x, double logsnr) const { return denoise(x, logsnr); }

  // The probability-flow ODE from level a to level b, exactly (pf_ode_gaussian of the test vectors).
  double flow(double x, double a, double b) const {
    return ul::alpha(b) * mean + (x - ul::alpha(a) * mean) * std::sqrt(variance(b) / variance(a));
  }
};
