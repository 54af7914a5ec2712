#pragma once
// What the tests of the bound share: Gaussian data have a denoiser in closed form.

#include <ul/diffusion/logsnr.hpp>

namespace support {

// The exact denoiser of N(0, s^2): x^ = gain * x_t.
inline double gain(double s, double logsnr) {
  return ul::alpha(logsnr) * s * s / (ul::alpha_squared(logsnr) * s * s + ul::sigma_squared(logsnr));
}

}  // namespace support
