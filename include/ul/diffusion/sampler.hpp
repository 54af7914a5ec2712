#pragma once
// What all samplers share. A sampler is a free function
//   sample_NAME(denoiser, state at grid[first], grid, [noise,] options, observer) -> state at the last level
//   denoiser   (state, log-SNR) -> the clean x^, a State; or -> estimate<State>, where eps^ need not be the one that
//              follows from x^ (clipped predictions). Make one from a network's other predictions with `denoiser_of`.
//   noise      (draw) -> a State of standard normals; stochastic samplers only. Draws are numbered by step, so that a
//              resumed run meets the same noise.
//   options    begin at step `first` of the grid with a fresh history: image-to-image, resuming.
//   observer   called after each step with a sampler_step; may edit the state, and stop by returning progress::stop.
// States are variance preserving at every level: x_t = alpha x + sigma eps.

#include <concepts>
#include <type_traits>
#include <utility>

#include <ul/diffusion/grid.hpp>
#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/prediction.hpp>
#include <ul/diffusion/state.hpp>

namespace ul {

template <class State>
struct estimate {
  State x, eps;
};

// alpha x + sigma eps: clean data at a level. At the level of a latent's own noise it is its encoding z_0.
template <sampler_state State>
State noised(const State& x, const State& eps, double logsnr) {
  return combine(alpha(logsnr), x, sigma(logsnr), eps);
}

template <class State>
struct sampler_step {
  extent index, steps;    // the step just made, counted from 0, of so many
  double from, to;        // log-SNR
  const State& denoised;  // the step's last x^
  State& state;           // at `to`
};

enum class progress { proceed, stop };

template <class N, class State>
concept noise_source = requires(N& noise, extent draw) {
  { noise(draw) } -> std::convertible_to<State>;
};

struct no_observer {
  void operator()(const auto&) const {}
};

namespace detail {

template <class State>
const State& clean(const State& x) {
  return x;
}
template <class State>
const State& clean(const estimate<State>& e) {
  return e.x;
}

// a x_t + b x^ + c eps^ at one level.
template <class State>
State blend_step(double a, const State& x_t, double b, const State& x, double c, double logsnr) {
  if (c == 0) return combine(a, x_t, b, x);
  const auto eps = x_prediction{}.eps(logsnr);
  return combine(a + c * eps.state, x_t, b + c * eps.output, x);
}
template <class State>
State blend_step(double a, const State& x_t, double b, const estimate<State>& e, double c, double) {
  return combine(a, x_t, b, e.x, c, e.eps);
}

// eps^ at one level.
template <class State>
State noise_of(const State& x_t, const State& x, double logsnr) {
  return blend_step(0.0, x_t, 0.0, x, 1.0, logsnr);
}
template <class State>
State noise_of(const State&, const estimate<State>& e, double) {
  return e.eps;
}

// x_s for x^ and eps^ held fixed: the exact step for a denoiser that is constant along it (DDIM; Euler in sigma and in
// flow time are the same).
template <class State, class Prediction>
State ddim_step(const State& x_t, const Prediction& prediction, double t, double s) {
  return blend_step(0.0, x_t, alpha(s), prediction, sigma(s), t);
}

// What stands for the noise of a stochastic sampler whose options ask for none.
template <class State>
struct no_noise {
  const char* sampler;
  State operator()(extent) const { fail(sampler, ": these options need a noise source"); }
};

// Whether the observer wants to stop after this step.
template <class Observer, class State>
bool stops(Observer& observer, const sampler_step<State>& step) {
  if constexpr (std::is_same_v<decltype(observer(step)), progress>) {
    return observer(step) == progress::stop;
  } else {
    observer(step);
    return false;
  }
}

}  // namespace detail

// A denoiser from a network of any prediction: (state, log-SNR) -> the network's output for the input that the
// prediction asks for.
template <prediction P, class Network>
auto denoiser_of(P p, Network network) {
  return [p, network = std::move(network)]<class State>(const State& x_t, double logsnr) -> State {
    const double scale = p.input(logsnr);
    const auto x = p.x(logsnr);
    return combine(x.state, x_t, x.output,
                   State(scale == 1 ? network(x_t, logsnr) : network(combine(scale, x_t), logsnr)));
  };
}

}  // namespace ul
