#pragma once
// The variational bound as named terms, in nats per sample unless stated, and its scalar formulas. Sums run over a
// sample's dimensions.

#include <ul/core/error.hpp>
#include <ul/diffusion/logsnr.hpp>

namespace ul {

inline constexpr double nats_per_bit = 0.69314718055994530942;

UL_HD constexpr double bits(double nats) { return nats / nats_per_bit; }

// The negated bound, -log p(x) <= diffusion + terminal + reconstruction. For a latent z_0 there is no reconstruction
// term: the other two bound the information z_0 carries.
struct bound {
  double diffusion = 0;       // the integral over noise levels
  double terminal = 0;        // KL of the noisiest level from the standard normal
  double reconstruction = 0;  // of the data from the least noisy level, where a data likelihood is given

  double nats() const { return diffusion + terminal + reconstruction; }
  // Per dimension of the sample, or per pixel when `count` is the number of pixels.
  double bits_per(double count) const { return bits(nats()) / count; }
};

// KL(q(z_1 | z) || N(0, 1)) of one dimension at the schedule's last log-SNR,
//   (alpha^2 z^2 + sigma^2 - 1 - log sigma^2) / 2.
// Never negative; absolute error a few ulp of alpha^2 (1 + z^2).
// Source: Heek et al., Unified Latents, arXiv 2602.17270, equation 3.
template <class V>
UL_HD V terminal_kl(V z, V logsnr) {
  const V kept = alpha_squared(logsnr);
  return constant<V>(0.5) * (kept * z * z + maximum(softplus(logsnr) - kept, constant<V>(0)));
}
// Its derivative by z.
template <class V>
UL_HD V terminal_kl_derivative(V z, V logsnr) {
  return alpha_squared(logsnr) * z;
}

// The weight of the squared noise error at level t in the discrete-time bound, the step going to level s, logsnr_s >
// logsnr_t: expm1(logsnr_s - logsnr_t) / 2. Summed over the steps of a grid it tends to the continuous bound from
// above. Source: Kingma et al., arXiv 2107.00630, equation 13.
template <class V>
UL_HD V discrete_weight(V logsnr_t, V logsnr_s) {
  return constant<V>(0.5) * expm1(logsnr_s - logsnr_t);
}

// What the bound of one latent dimension changes by when the encoder's own variance is learned, the diffusion target
// being z = mu + sigma_z eps: -log(sigma_z^2 e^lambda_0 + 1) / 2, from log sigma_z^2.
// Source: Heek et al., arXiv 2602.17270, equation 5.
template <class V>
UL_HD V learned_variance_term(V log_variance, V logsnr_0) {
  return constant<V>(-0.5) * softplus(log_variance + logsnr_0);
}

// log p(value | z_0) of a pixel with `levels` values, level k standing for 2 (k + 1/2) / levels - 1: a softmax of the
// normal densities of z_0 / alpha around each, of variance sigma^2 / alpha^2.
// Source: Kingma et al., arXiv 2107.00630, section 3.1 and the authors' code.
inline double pixel_value(int value, int levels = 256) { return (2.0 * value + 1) / levels - 1; }
inline double pixel_log_likelihood(int value, double z_over_alpha, double logsnr_0, int levels = 256) {
  if (value < 0 || value >= levels) fail("pixel_log_likelihood: value is ", value, ", expected 0 to ", levels - 1);
  const double precision = snr(logsnr_0);
  const auto exponent = [&](int k) {
    const double d = z_over_alpha - pixel_value(k, levels);
    return -0.5 * precision * d * d;
  };
  const double own = exponent(value);
  double greatest = own, sum = 0;
  for (int k = 0; k < levels; ++k) greatest = maximum(greatest, exponent(k));
  for (int k = 0; k < levels; ++k) sum += exp(exponent(k) - greatest);
  // Where the value itself is the greatest, log1p keeps the digits of a likelihood near 1.
  if (own == greatest) {
    double others = 0;
    for (int k = 0; k < levels; ++k)
      if (k != value) others += exp(exponent(k) - own);
    return -log1p(others);
  }
  return own - greatest - log(sum);
}

}  // namespace ul
