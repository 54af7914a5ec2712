#pragma once

#include <ul/diffusion/cosine_schedule.hpp>

namespace ul {

// Two shifted cosines blended over time, (1 - t) cosine(shift_high) + t cosine(shift_low): fine detail is noised as at
// a high resolution, coarse structure as at a low one. Set both from resolution_shift. The end points are exact.
// Source: Hoogeboom et al., simple diffusion, arXiv 2301.11093, section 3.1 (interpolated schedules).
struct interpolated_schedule {
  double logsnr_max = 10;
  double logsnr_min = -10;
  double shift_high = 0;  // holds at t = 0
  double shift_low = 0;   // holds at t = 1

  template <real V>
  V logsnr(V t) const {
    const V a = high().logsnr(t), b = low().logsnr(t);
    return (constant<V>(1) - t) * a + t * b;
  }
  template <real V>
  V dlogsnr(V t) const {
    const V slope = (constant<V>(1) - t) * high().dlogsnr(t) + t * low().dlogsnr(t);
    return slope + low().logsnr(t) - high().logsnr(t);
  }
  template <real V>
  V time(V logsnr) const {
    return solve_time(*this, logsnr);
  }

 private:
  cosine_schedule high() const { return {logsnr_max, logsnr_min, shift_high}; }
  cosine_schedule low() const { return {logsnr_max, logsnr_min, shift_low}; }
};

}  // namespace ul
