#pragma once
// The log-SNR lambda = log(alpha^2 / sigma^2) and everything that follows from it. The forward process is variance
// preserving, x_t = alpha x + sigma eps with alpha^2 + sigma^2 = 1, so alpha^2 = sigmoid(lambda) and
// sigma^2 = sigmoid(-lambda). Other parametrisations (EDM's sigma, the flow's time) are the same process on another
// scale and convert to and from log-SNR here.
// V is float, double or a SIMD pack. Valid for every lambda, infinities included; relative error a few ulp.
// Source: Kingma et al., Variational Diffusion Models, arXiv 2107.00630, section 3.

#include <ul/core/activation.hpp>
#include <ul/core/config.hpp>

namespace ul {

template <class V>
UL_HD V alpha_squared(V logsnr) {
  return sigmoid(logsnr);
}
template <class V>
UL_HD V sigma_squared(V logsnr) {
  return sigmoid(-logsnr);
}
template <class V>
UL_HD V alpha(V logsnr) {
  return sqrt(sigmoid(logsnr));
}
template <class V>
UL_HD V sigma(V logsnr) {
  return sqrt(sigmoid(-logsnr));
}

// Logarithms of alpha and sigma, exact where alpha and sigma themselves underflow.
template <class V>
UL_HD V log_alpha(V logsnr) {
  return constant<V>(-0.5) * softplus(-logsnr);
}
template <class V>
UL_HD V log_sigma(V logsnr) {
  return constant<V>(-0.5) * softplus(logsnr);
}

// d alpha / d lambda = alpha sigma^2 / 2 and d sigma / d lambda = -sigma alpha^2 / 2.
template <class V>
UL_HD V dalpha(V logsnr) {
  return constant<V>(0.5) * alpha(logsnr) * sigma_squared(logsnr);
}
template <class V>
UL_HD V dsigma(V logsnr) {
  return constant<V>(-0.5) * sigma(logsnr) * alpha_squared(logsnr);
}

// alpha^2 / sigma^2; overflows to infinity above the range of V.
template <class V>
UL_HD V snr(V logsnr) {
  return exp(logsnr);
}
template <class V>
UL_HD V logsnr_from_snr(V snr) {
  return log(snr);
}

// lambda of x_t = alpha x + sigma eps for any positive alpha and sigma, variance preserving or not.
template <class V>
UL_HD V logsnr_from(V alpha, V sigma) {
  return constant<V>(2) * (log(alpha) - log(sigma));
}

// lambda of alpha^2, the "alpha bar" of discrete-time tables, 0 <= alpha_squared <= 1.
template <class V>
UL_HD V logsnr_from_alpha_squared(V alpha_squared) {
  return log(alpha_squared) - log1p(-alpha_squared);
}

// The noise level of x + sigma eps (Karras et al., arXiv 2206.00364): sigma / alpha.
template <class V>
UL_HD V edm_sigma(V logsnr) {
  return exp(constant<V>(-0.5) * logsnr);
}
template <class V>
UL_HD V logsnr_from_edm_sigma(V sigma) {
  return constant<V>(-2) * log(sigma);
}

// The time s of the straight line (1 - s) x + s eps (Lipman et al., arXiv 2210.02747): sigma / (alpha + sigma).
template <class V>
UL_HD V flow_time(V logsnr) {
  return sigmoid(constant<V>(-0.5) * logsnr);
}
template <class V>
UL_HD V logsnr_from_flow_time(V time) {
  return constant<V>(2) * (log1p(-time) - log(time));
}

}  // namespace ul
