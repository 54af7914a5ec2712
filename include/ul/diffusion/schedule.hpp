#pragma once
// A schedule maps time t in [0, 1] to log-SNR: t = 0 is the least noisy end, t = 1 the noisiest, and log-SNR falls in
// between. Any value type with the three members below is one; nothing is registered. Schedules are evaluated on the
// host, once per sample, so their members check what they are given: t outside [0, 1] and end points in the wrong
// order throw ul::error when V is a scalar.

#include <concepts>
#include <type_traits>

#include <ul/core/activation.hpp>
#include <ul/core/error.hpp>

namespace ul {

template <class S>
concept schedule = requires(const S& s, double t, double logsnr) {
  { s.logsnr(t) } -> std::convertible_to<double>;     // log-SNR at t
  { s.dlogsnr(t) } -> std::convertible_to<double>;    // its derivative, negative
  { s.time(logsnr) } -> std::convertible_to<double>;  // the inverse of logsnr
};

// A number a schedule can be evaluated at: float, double or a pack of them.
template <class V>
concept real = std::floating_point<V> || requires {
  typename V::value_type;
};

// Throws ul::error naming `what` unless 0 <= t <= 1. Packs are not checked.
template <real V>
void check_time(const char* what, V t) {
  if constexpr (std::is_floating_point_v<V>)
    if (!(t >= 0 && t <= 1)) fail(what, ": t is ", t, ", expected 0 <= t <= 1");
}

// Throws ul::error naming `what` unless logsnr_max > logsnr_min.
inline void check_ends(const char* what, double logsnr_max, double logsnr_min) {
  if (!(logsnr_max > logsnr_min))
    fail(what, ": logsnr_max is ", logsnr_max, ", expected above logsnr_min, which is ", logsnr_min);
}

// Throws ul::error naming `what` unless log-SNR is finite and falls strictly over n + 1 equally spaced times.
template <schedule S>
void check_monotone(const char* what, const S& s, int n = 1000) {
  double before = s.logsnr(0.0);
  for (int i = 1; i <= n; ++i) {
    const double t = i == n ? 1.0 : static_cast<double>(i) / n, here = s.logsnr(t);
    if (!(here < before))
      fail(what, ": log-SNR is ", here, " at t = ", t, ", expected below ", before, ", its value one step before");
    before = here;
  }
}

// The time at which a falling log-SNR takes a value, by bisection to the last bit: the `time` member of a schedule
// that has no closed inverse. Values outside the end points give 0 or 1.
template <class S, real V>
V solve_time(const S& s, V logsnr) {
  V low = constant<V>(0), high = constant<V>(1);
  for (int i = 0; i < 60; ++i) {
    const V middle = constant<V>(0.5) * (low + high);
    const auto above = s.logsnr(middle) > logsnr;
    low = select(above, middle, low);
    high = select(above, high, middle);
  }
  return select(s.logsnr(constant<V>(0)) <= logsnr, constant<V>(0), high);
}

namespace detail {

// a at t = 0 and b at t = 1, both exactly.
template <class V>
V mix(double a, double b, V t) {
  return (constant<V>(1) - t) * constant<V>(a) + t * constant<V>(b);
}

// `value`, but exactly the end points at t = 0 and t = 1, where value holds them to rounding only.
template <class V>
V pinned(V t, double at_0, double at_1, V value) {
  const V inner = select(t >= constant<V>(1), constant<V>(at_1), value);
  return select(t <= constant<V>(0), constant<V>(at_0), inner);
}

}  // namespace detail
}  // namespace ul
