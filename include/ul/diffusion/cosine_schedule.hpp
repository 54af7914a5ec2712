#pragma once

#include <cmath>

#include <ul/diffusion/schedule.hpp>

namespace ul {

// The side lengths that resolution_shift compares.
struct resolutions {
  double noise;  // the resolution at which the unshifted schedule is right
  double image;  // the resolution of the data
};

// The log-SNR shift that gives an image the noise of another resolution: 2 log(noise / image), negative for images
// above the noise resolution. Throws ul::error unless both are positive.
// Source: Hoogeboom et al., simple diffusion, arXiv 2301.11093, section 3.1.
inline double resolution_shift(const resolutions& side) {
  if (!(side.noise > 0 && side.image > 0))
    fail("resolution_shift: noise is ", side.noise, " and image is ", side.image, ", expected both positive");
  return 2 * std::log(side.noise / side.image);
}

// Cosine, alpha = cos(angle): lambda(t) = shift - 2 log tan(angle), the angle linear in t between the angles of
// logsnr_max - shift and logsnr_min - shift, so that the end points stay logsnr_max and logsnr_min whatever the shift.
// The same curve is the trigonometric interpolant (GVP) of flow matching.
// Source: Nichol and Dhariwal, arXiv 2102.09672; end points and shift: Hoogeboom et al., arXiv 2301.11093.
struct cosine_schedule {
  double logsnr_max = 10;
  double logsnr_min = -10;
  double shift = 0;

  template <real V>
  V logsnr(V t) const {
    const angles<V> a = at(t);
    return detail::pinned(t, logsnr_max, logsnr_min,
                          constant<V>(shift) + constant<V>(2) * (log(sin(a.rest)) - log(sin(a.angle))));
  }
  template <real V>
  V dlogsnr(V t) const {
    const angles<V> a = at(t);
    return constant<V>(-2 * (last() - first())) / (sin(a.angle) * sin(a.rest));
  }
  template <real V>
  V time(V logsnr) const {
    check_ends("cosine_schedule", logsnr_max, logsnr_min);
    if constexpr (std::is_floating_point_v<V>) {
      const V angle = std::atan(exp(constant<V>(-0.5) * (logsnr - constant<V>(shift))));
      return (angle - constant<V>(first())) / constant<V>(last() - first());
    } else {
      return solve_time(*this, logsnr);  // packs have no arc tangent
    }
  }

 private:
  // The angle and what is left to pi/2. Both are interpolated, so that neither end loses digits.
  template <class V>
  struct angles {
    V angle, rest;
  };
  template <class V>
  angles<V> at(V t) const {
    check_ends("cosine_schedule", logsnr_max, logsnr_min);
    check_time("cosine_schedule", t);
    return {detail::mix(first(), last(), t), detail::mix(std::atan(std::exp((logsnr_max - shift) / 2)),
                                                         std::atan(std::exp((logsnr_min - shift) / 2)), t)};
  }
  double first() const { return std::atan(std::exp((shift - logsnr_max) / 2)); }
  double last() const { return std::atan(std::exp((shift - logsnr_min) / 2)); }
};

using trigonometric_schedule = cosine_schedule;

}  // namespace ul
