#pragma once
// Small solvers of dx/dt = f(x, t), from t = a to t = b in either direction, over any sampler state.

#include <utility>

#include <ul/core/math.hpp>
#include <ul/diffusion/state_geometry.hpp>

namespace ul {

namespace detail {

inline double step_of(const char* what, double a, double b, extent steps) {
  if (steps < 1) fail(what, ": ", steps, " steps, expected at least 1");
  return (b - a) / static_cast<double>(steps);
}
inline double time_at(double a, double h, extent i) { return a + h * static_cast<double>(i); }

}  // namespace detail

// Euler's method, order 1: one call of f a step.
template <sampler_state State, class F>
State solve_euler(F&& f, State x, double a, double b, extent steps) {
  const double h = detail::step_of("solve_euler", a, b, steps);
  for (extent i = 0; i < steps; ++i) x = combine(1.0, x, h, State(f(x, detail::time_at(a, h, i))));
  return x;
}

// The midpoint rule, order 2: two calls.
template <sampler_state State, class F>
State solve_midpoint(F&& f, State x, double a, double b, extent steps) {
  const double h = detail::step_of("solve_midpoint", a, b, steps);
  for (extent i = 0; i < steps; ++i) {
    const double t = detail::time_at(a, h, i);
    const State middle = combine(1.0, x, h / 2, State(f(x, t)));
    x = combine(1.0, x, h, State(f(middle, t + h / 2)));
  }
  return x;
}

// Heun's method of order 3: three calls.
// Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, table 1.1.
template <sampler_state State, class F>
State solve_heun3(F&& f, State x, double a, double b, extent steps) {
  const double h = detail::step_of("solve_heun3", a, b, steps);
  for (extent i = 0; i < steps; ++i) {
    const double t = detail::time_at(a, h, i);
    const State k1 = f(x, t);
    const State k2 = f(combine(1.0, x, h / 3, k1), t + h / 3);
    const State k3 = f(combine(1.0, x, 2 * h / 3, k2), t + 2 * h / 3);
    x = combine(1.0, x, h / 4, k1, 3 * h / 4, k3);
  }
  return x;
}

struct adaptive_options {
  double relative = 1e-6;
  double absolute = 1e-6;
  extent max_steps = 100000;  // tried, accepted or not
};

// The root mean square of error / (absolute + relative max(|x|, |y|)): a step is accepted at 1 or below. A
// customisation point, like `combine`; a batch is accepted as a whole.
template <detail::plain_state S>
double error_ratio(const S& error, const S& x, const S& y, const adaptive_options& o) {
  double sum = 0;
  const std::size_t n = detail::size_of(error);
  for (std::size_t i = 0; i < n; ++i) {
    const double scale = o.absolute + o.relative * maximum(abs(detail::entry_at(x, i)), abs(detail::entry_at(y, i)));
    const double e = detail::entry_at(error, i) / scale;
    sum += e * e / static_cast<double>(n);
  }
  return sqrt(sum);
}

// Dormand and Prince's method of order 5 with its error estimate of order 4 and steps chosen to keep it: six calls a
// step. Throws ul::error when max_steps are not enough or the solution stops being finite.
// Source: Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19; step control: Hairer et al., section II.4.
template <sampler_state State, class F>
State solve_dormand_prince(F&& f, State x, double a, double b, const adaptive_options& o = {}) {
  if (!(o.relative >= 0 && o.absolute >= 0 && o.relative + o.absolute > 0))
    fail("solve_dormand_prince: tolerances are ", o.relative, " and ", o.absolute, ", expected one above 0");
  double t = a, h = (b - a) / 100;
  State k1 = f(x, t);
  for (extent tried = 0; t != b; ++tried) {
    if (tried == o.max_steps) fail("solve_dormand_prince: reached t = ", t, " of ", b, " in ", tried, " steps");
    const bool last = abs(h) >= abs(b - t);
    if (last) h = b - t;
    const State k2 = f(combine(1.0, x, h / 5, k1), t + h / 5);
    const State k3 = f(combine(1.0, x, h * 3 / 40, k1, h * 9 / 40, k2), t + h * 3 / 10);
    const State k4 = f(combine(1.0, x, h * 44 / 45, k1, -h * 56 / 15, k2, h * 32 / 9, k3), t + h * 4 / 5);
    const State early = combine(h * 19372 / 6561, k1, -h * 25360 / 2187, k2, h * 64448 / 6561, k3, -h * 212 / 729, k4);
    const State k5 = f(combine(1.0, x, 1.0, early), t + h * 8 / 9);
    const State late = combine(h * 9017 / 3168, k1, -h * 355 / 33, k2, h * 46732 / 5247, k3, h * 49 / 176, k4);
    const State k6 = f(combine(1.0, x, 1.0, late, -h * 5103 / 18656, k5), t + h);
    const State rise = combine(h * 35 / 384, k1, h * 500 / 1113, k3, h * 125 / 192, k4, -h * 2187 / 6784, k5);
    State next = combine(1.0, x, 1.0, rise, h * 11 / 84, k6);
    State k7 = f(next, t + h);
    const State low = combine(h * 71 / 57600, k1, -h * 71 / 16695, k3, h * 71 / 1920, k4, -h * 17253 / 339200, k5);
    const State error = combine(1.0, low, h * 22 / 525, k6, -h / 40, k7);
    const double ratio = error_ratio(error, x, next, o);
    if (!(ratio < 1e300)) fail("solve_dormand_prince: the solution is not finite at t = ", t);
    if (ratio <= 1) {
      t = last ? b : t + h;
      x = std::move(next);
      k1 = std::move(k7);
    }
    h *= minimum(5.0, maximum(0.2, 0.9 * exp(-0.2 * log(maximum(ratio, 1e-10)))));
  }
  return x;
}

}  // namespace ul
