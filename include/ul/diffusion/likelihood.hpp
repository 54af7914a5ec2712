#pragma once
// The likelihood of data under the probability-flow ODE: exact but for the solver's error and, with Hutchinson's
// estimate, the trace's.

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/ode.hpp>

namespace ul {

// A state and the integral of a divergence along its path, solved together.
template <class State>
struct flow_state {
  State x;
  double log_volume = 0;
};

template <class State, class... Rest>
flow_state<State> combine(double a, const flow_state<State>& x, double b, const flow_state<State>& y,
                          const Rest&... rest) {
  const flow_state<State> sum{combine(a, x.x, b, y.x), a * x.log_volume + b * y.log_volume};
  if constexpr (sizeof...(rest) == 0)
    return sum;
  else
    return combine(1.0, sum, rest...);
}
template <class State>
double error_ratio(const flow_state<State>& error, const flow_state<State>& x, const flow_state<State>& y,
                   const adaptive_options& o) {
  return maximum(error_ratio(error.x, x.x, y.x, o), error_ratio(error.log_volume, x.log_volume, y.log_volume, o));
}

// log p(x) at t = a of the flow dx/dt = velocity(x, t) whose log density at t = b is log_base: the state is carried to
// b and divergence(x, t), the trace of the velocity's Jacobian, is added up on the way. Solver: (f, state, a, b) ->
// state. In nats.
// Source: Chen et al., Neural ODEs, arXiv 1806.07366, equation 8.
template <sampler_state State, class Velocity, class Divergence, class Base, class Solver>
double flow_log_likelihood(Velocity&& velocity, Divergence&& divergence, const State& x, double a, double b,
                           Base&& log_base, Solver&& solver) {
  const auto field = [&](const flow_state<State>& s, double t) {
    return flow_state<State>{velocity(s.x, t), divergence(s.x, t)};
  };
  const flow_state<State> end = solver(field, flow_state<State>{x, 0}, a, b);
  return log_base(end.x) + end.log_volume;
}

// The directional derivative J v of a denoiser without one of its own, by central differences of relative size h.
template <class Denoiser>
auto finite_difference_jvp(Denoiser denoiser, double h = 1e-4) {
  return [denoiser = std::move(denoiser), h]<class State>(const State& x, const State& v, double logsnr) {
    const State up = denoiser(combine(1.0, x, h, v), logsnr), down = denoiser(combine(1.0, x, -h, v), logsnr);
    return State(combine(0.5 / h, up, -0.5 / h, down));
  };
}

// The trace of J, column by column: exact, as many products as the state has dimensions.
template <detail::plain_state State, class Jvp>
double exact_trace(Jvp&& jvp, const State& x, double logsnr) {
  double trace = 0;
  State unit = combine(0.0, x);
  for (std::size_t i = 0; i < detail::size_of(x); ++i) {
    detail::set_element(unit, i, 1);
    trace += detail::entry_at(State(jvp(x, unit, logsnr)), i);
    detail::set_element(unit, i, 0);
  }
  return trace;
}

// Hutchinson's estimate v . J v of the trace, unbiased for a random v of mean 0 and covariance 1: one product.
// Source: Grathwohl et al., FFJORD, arXiv 1810.01367, section 3.1.
template <class State, class Jvp>
double hutchinson_trace(Jvp&& jvp, const State& x, const State& probe, double logsnr) {
  return inner(probe, State(jvp(x, probe, logsnr)));
}

// log p(x) at logsnr_max under a denoiser's probability-flow ODE, dx/d lambda = alpha (x^ - alpha x) / 2, the state
// being standard normal at logsnr_min. trace(x, lambda) is that of d x^ / d x_t over `dimensions` dimensions. In nats,
// of the density of the noisy state x_t = alpha x + sigma eps; that of x / alpha is dimensions * log_alpha(logsnr_max)
// more.
// Source: Song et al., arXiv 2011.13456, section 4.3, in log-SNR.
template <sampler_state State, class Denoiser, class Trace, class Base, class Solver>
double diffusion_log_likelihood(Denoiser&& denoiser, Trace&& trace, const State& x, double dimensions,
                                double logsnr_max, double logsnr_min, Base&& log_base, Solver&& solver) {
  const auto velocity = [&](const State& y, double logsnr) {
    const double a = alpha(logsnr);
    return State(combine(a / 2, State(denoiser(y, logsnr)), -a * a / 2, y));
  };
  const auto divergence = [&](const State& y, double logsnr) {
    const double a = alpha(logsnr);
    return a / 2 * (trace(y, logsnr) - a * dimensions);
  };
  return flow_log_likelihood(velocity, divergence, x, logsnr_max, logsnr_min, log_base, solver);
}

// log N(x; 0, 1) of a state.
template <detail::plain_state State>
double standard_normal_log_density(const State& x) {
  constexpr double half_log_two_pi = 0.91893853320467274178;
  return -inner(x, x) / 2 - half_log_two_pi * static_cast<double>(detail::size_of(x));
}

}  // namespace ul
