#pragma once

#include <ul/diffusion/schedule.hpp>

namespace ul {

// Linear in log-SNR: lambda(t) = (1 - t) logsnr_max + t logsnr_min.
// Source: Kingma et al., Variational Diffusion Models, arXiv 2107.00630, appendix D (fixed linear schedule).
struct linear_schedule {
  double logsnr_max = 5;
  double logsnr_min = -10;

  template <real V>
  V logsnr(V t) const {
    verify(t);
    return detail::mix(logsnr_max, logsnr_min, t);
  }
  template <real V>
  V dlogsnr(V t) const {
    verify(t);
    return constant<V>(logsnr_min - logsnr_max);
  }
  template <real V>
  V time(V logsnr) const {
    check_ends("linear_schedule", logsnr_max, logsnr_min);
    return (constant<V>(logsnr_max) - logsnr) / constant<V>(logsnr_max - logsnr_min);
  }

 private:
  template <class V>
  void verify(V t) const {
    check_ends("linear_schedule", logsnr_max, logsnr_min);
    check_time("linear_schedule", t);
  }
};

}  // namespace ul
