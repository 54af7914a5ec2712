#pragma once

#include <cmath>

#include <ul/diffusion/normal_quantile.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

// EDM's training levels: for uniform t, log sigma is normal(mean, deviation) cut off at sigma_min and sigma_max;
// lambda = -2 log sigma. For a network of data scale sigma_data see edm_prediction and edm_weight.
// Source: Karras et al., arXiv 2206.00364, table 1 (noise distribution).
struct edm_schedule {
  double mean = -1.2;
  double deviation = 1.2;
  double sigma_min = 0.002;
  double sigma_max = 80;

  template <real V>
  V logsnr(V t) const {
    return detail::pinned(t, -2 * std::log(sigma_min), -2 * std::log(sigma_max),
                          constant<V>(-2) * (constant<V>(mean) + constant<V>(deviation) * quantile(t)));
  }
  template <real V>
  V dlogsnr(V t) const {
    const V z = quantile(t);
    return constant<V>(-2 * deviation * mass() * root_two_pi) * exp(constant<V>(0.5) * z * z);
  }
  template <real V>
  V time(V logsnr) const {
    const V z = (constant<V>(-0.5) * logsnr - constant<V>(mean)) / constant<V>(deviation);
    const V below = constant<V>(0.5) * (constant<V>(1) + erf(z * constant<V>(root_half)));
    return (below - constant<V>(cumulative(lowest()))) / constant<V>(mass());
  }

 private:
  static constexpr double root_half = 0.70710678118654752440;
  static constexpr double root_two_pi = 2.5066282746310005024;

  static double cumulative(double z) { return 0.5 * std::erfc(-z * root_half); }
  double lowest() const {
    if (!(sigma_min > 0 && sigma_min < sigma_max))
      fail("edm_schedule: sigma_min is ", sigma_min, ", expected above 0 and below sigma_max, which is ", sigma_max);
    if (!(deviation > 0)) fail("edm_schedule: deviation is ", deviation, ", expected a positive one");
    return (std::log(sigma_min) - mean) / deviation;
  }
  double highest() const { return (std::log(sigma_max) - mean) / deviation; }
  double mass() const { return cumulative(highest()) - cumulative(lowest()); }
  template <class V>
  V quantile(V t) const {
    check_time("edm_schedule", t);
    return normal_quantile(detail::mix(cumulative(lowest()), cumulative(highest()), t),
                           detail::mix(cumulative(-lowest()), cumulative(-highest()), t));
  }
};

}  // namespace ul
