#pragma once

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

// EDM's noise levels: sigma^(1/rho) linear in t between sigma_min and sigma_max; lambda = -2 log sigma.
// Source: Karras et al., arXiv 2206.00364, equation 5.
struct karras_schedule {
  double sigma_min = 0.002;
  double sigma_max = 80;
  double rho = 7;

  template <real V>
  V logsnr(V t) const {
    check_time("karras_schedule", t);
    return detail::pinned(t, -2 * log(sigma_min), -2 * log(sigma_max),
                          constant<V>(-2 * rho) * log(detail::mix(low(), high(), t)));
  }
  template <real V>
  V dlogsnr(V t) const {
    check_time("karras_schedule", t);
    return constant<V>(-2 * rho * (high() - low())) / detail::mix(low(), high(), t);
  }
  template <real V>
  V time(V logsnr) const {
    return (exp(constant<V>(-0.5 / rho) * logsnr) - constant<V>(low())) / constant<V>(high() - low());
  }

 private:
  double low() const {
    if (!(sigma_min > 0 && sigma_min < sigma_max))
      fail("karras_schedule: sigma_min is ", sigma_min, ", expected above 0 and below sigma_max, which is ", sigma_max);
    if (!(rho > 0)) fail("karras_schedule: rho is ", rho, ", expected a positive one");
    return exp(log(sigma_min) / rho);
  }
  double high() const { return exp(log(sigma_max) / rho); }
};

}  // namespace ul
