#pragma once

#include <ul/diffusion/schedule.hpp>

namespace ul {

// The continuous forms of DDPM's noise rates: alpha^2 = exp(-B(u)), B the integral of beta from 0 to u, so
// lambda = -log(expm1(B)). u runs from time_min at t = 0 to 1 at t = 1, because log-SNR is infinite at u = 0.

// beta linear in time, from beta_min to beta_max per unit of time.
// Source: Song et al., arXiv 2011.13456, appendix B (VP SDE); the discrete tables of beta_table.hpp times their length.
struct linear_beta_schedule {
  double beta_min = 0.1;
  double beta_max = 20;
  double time_min = 1e-5;

  template <real V>
  V logsnr(V t) const {
    return -log(expm1(integral(clock(t))));
  }
  template <real V>
  V dlogsnr(V t) const {
    const V u = clock(t), beta = constant<V>(beta_min) + constant<V>(beta_max - beta_min) * u;
    return constant<V>(1 - time_min) * beta / expm1(-integral(u));
  }
  template <real V>
  V time(V logsnr) const {
    const V area = softplus(-logsnr);
    const V root = sqrt(constant<V>(beta_min * beta_min) + constant<V>(2 * (beta_max - beta_min)) * area);
    const V u = constant<V>(2) * area / (constant<V>(beta_min) + root);
    return (u - constant<V>(time_min)) / constant<V>(1 - time_min);
  }

 private:
  template <class V>
  V integral(V u) const {
    return u * (constant<V>(beta_min) + constant<V>(0.5 * (beta_max - beta_min)) * u);
  }
  template <class V>
  V clock(V t) const {
    if (!(beta_min > 0 && beta_min <= beta_max))
      fail("linear_beta_schedule: beta_min is ", beta_min, ", expected above 0 and at most beta_max, ", beta_max);
    if (!(time_min > 0 && time_min < 1))
      fail("linear_beta_schedule: time_min is ", time_min, ", expected between 0 and 1");
    check_time("linear_beta_schedule", t);
    return detail::mix(time_min, 1.0, t);
  }
};

// The square root of beta linear in time.
// Source: Rombach et al., arXiv 2112.10752, whose table is 0.00085 to 0.012 over 1000 steps.
struct scaled_linear_beta_schedule {
  double beta_min = 0.85;
  double beta_max = 12;
  double time_min = 1e-5;

  template <real V>
  V logsnr(V t) const {
    return -log(expm1(integral(clock(t))));
  }
  template <real V>
  V dlogsnr(V t) const {
    const V u = clock(t), root = constant<V>(low()) + constant<V>(high() - low()) * u;
    return constant<V>(1 - time_min) * root * root / expm1(-integral(u));
  }
  template <real V>
  V time(V logsnr) const {
    return solve_time(*this, logsnr);
  }

 private:
  double low() const { return sqrt(beta_min); }
  double high() const { return sqrt(beta_max); }
  template <class V>
  V integral(V u) const {
    const double d = high() - low();
    return u * (constant<V>(beta_min) + u * (constant<V>(low() * d) + constant<V>(d * d / 3) * u));
  }
  template <class V>
  V clock(V t) const {
    if (!(beta_min > 0 && beta_min <= beta_max))
      fail("scaled_linear_beta_schedule: beta_min is ", beta_min, ", expected above 0 and at most beta_max, ",
           beta_max);
    if (!(time_min > 0 && time_min < 1))
      fail("scaled_linear_beta_schedule: time_min is ", time_min, ", expected between 0 and 1");
    check_time("scaled_linear_beta_schedule", t);
    return detail::mix(time_min, 1.0, t);
  }
};

}  // namespace ul
