#pragma once

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

// The straight line of flow matching, (1 - s) x + s eps with s linear in t between the flow times of the end points:
// lambda(t) = shift + 2 log((1 - s) / s). The shift is that of the cosine schedule; the factor k by which flow models
// shift their time, s -> k s / (1 + (k - 1) s), is shift = -2 log k (see flow_shift).
// Source: Lipman et al., arXiv 2210.02747; time shift: Esser et al., arXiv 2403.03206, section 5.3.2.
struct flow_schedule {
  double logsnr_max = 10;
  double logsnr_min = -10;
  double shift = 0;

  template <real V>
  V logsnr(V t) const {
    const times<V> s = at(t);
    return detail::pinned(t, logsnr_max, logsnr_min, constant<V>(shift) + constant<V>(2) * (log(s.rest) - log(s.time)));
  }
  template <real V>
  V dlogsnr(V t) const {
    const times<V> s = at(t);
    return constant<V>(-2 * (last() - first())) / (s.time * s.rest);
  }
  template <real V>
  V time(V logsnr) const {
    check_ends("flow_schedule", logsnr_max, logsnr_min);
    return (flow_time(logsnr - constant<V>(shift)) - constant<V>(first())) / constant<V>(last() - first());
  }

 private:
  // The flow time and what is left to 1. Both are interpolated, so that neither end loses digits.
  template <class V>
  struct times {
    V time, rest;
  };
  template <class V>
  times<V> at(V t) const {
    check_ends("flow_schedule", logsnr_max, logsnr_min);
    check_time("flow_schedule", t);
    return {detail::mix(first(), last(), t),
            detail::mix(flow_time(shift - logsnr_max), flow_time(shift - logsnr_min), t)};
  }
  double first() const { return flow_time(logsnr_max - shift); }
  double last() const { return flow_time(logsnr_min - shift); }
};

// The log-SNR shift equal to scaling the odds of the flow time by `factor`: -2 log(factor).
// Throws ul::error unless the factor is positive.
inline double flow_shift(double factor) {
  if (!(factor > 0)) fail("flow_shift: factor is ", factor, ", expected a positive one");
  return -2 * log(factor);
}

}  // namespace ul
