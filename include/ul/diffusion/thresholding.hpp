#pragma once
// Denoisers whose x^ is kept in range. The eps^ that follows from the network is kept beside it, as most published code
// does, or computed anew from the x^ in range.

#include <ul/diffusion/sampler.hpp>
#include <ul/diffusion/state_geometry.hpp>

namespace ul {

enum class eps_after_clipping { kept, recomputed };

namespace detail {

// The denoiser's estimate with x^ replaced by f(x^).
template <class State, class Denoiser, class F>
estimate<State> with_clean(Denoiser& denoiser, const State& x_t, double logsnr, eps_after_clipping rule, F f) {
  const auto prediction = denoiser(x_t, logsnr);
  State x = f(clean<State>(prediction));
  State eps = rule == eps_after_clipping::kept ? noise_of(x_t, prediction, logsnr) : noise_of(x_t, x, logsnr);
  return {std::move(x), std::move(eps)};
}

}  // namespace detail

// x^ clamped to [low, high].
template <class Denoiser>
auto clipped(Denoiser denoiser, double low = -1, double high = 1, eps_after_clipping rule = eps_after_clipping::kept) {
  if (!(low < high)) fail("clipped: low is ", low, ", expected below high, ", high);
  return [=]<class State>(const State& x_t, double logsnr) {
    return detail::with_clean(denoiser, x_t, logsnr, rule,
                              [=](const State& x) { return State(clamped(x, low, high)); });
  };
}

// Dynamic thresholding: x^ clamped to the given quantile of its magnitudes per sample, where that exceeds `least`, and
// scaled back into [-least, least].
// Source: Saharia et al., Imagen, arXiv 2205.11487, section 2.3 (least 1, quantile 0.995).
template <class Denoiser>
auto dynamically_thresholded(Denoiser denoiser, double quantile = 0.995, double least = 1,
                             eps_after_clipping rule = eps_after_clipping::recomputed) {
  return [=]<class State>(const State& x_t, double logsnr) {
    return detail::with_clean(denoiser, x_t, logsnr, rule,
                              [=](const State& x) { return State(thresholded(x, quantile, least)); });
  };
}

}  // namespace ul
