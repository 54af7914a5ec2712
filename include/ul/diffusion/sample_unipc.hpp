#pragma once

#include <ul/diffusion/exponential_moment.hpp>
#include <ul/diffusion/sampler.hpp>

namespace ul {

struct unipc_options {
  extent first = 0;
  bool first_order_end = false;  // a last step of order 1, as published
};

// UniPC of order 2 with B(h) = e^h - 1, predicting x: each step is predicted as DPM-Solver++ (2M) does, and corrected
// when the next call has brought x^ at its end. One denoiser call a step. Order 3 with the corrector.
// Source: Zhao et al., arXiv 2302.04867, algorithms 1 and 2; the coefficients of the corrector in closed form.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_unipc(Denoiser&& denoiser, State x, const logsnr_grid& grid, const unipc_options& options = {},
                   Observer&& observer = {}) {
  const extent first = grid.check_first(options.first, "sample_unipc");
  State before{}, earlier{};  // x^ at the beginning of the last step and of the one before it
  double h_before = 0, h_earlier = 0;
  bool second_order = false;  // of the last predictor
  for (extent i = first; i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1], h = t == s ? 0 : (s - t) / 2;
    const auto prediction = denoiser(std::as_const(x), t);
    State denoised = detail::clean<State>(prediction);
    if (h_before > 0) {
      // What the corrector changes of the predicted state, so that an observer's edits of it stay.
      const double gain = alpha(t) * detail::exponential_moment(0, h_before);
      if (!second_order) {
        x = combine(1.0, x, gain / 2, denoised, -gain / 2, before);
      } else {
        // x^ at share u of the step through 1, 0 and -r: before + (rise - quadratic) u + quadratic u^2.
        const double r = h_earlier / h_before, on_linear = alpha(t) * detail::exponential_moment(1, h_before);
        const double bend = (alpha(t) * detail::exponential_moment(2, h_before) - on_linear) / (r * (r + 1));
        const double on_rise = on_linear + r * bend, on_earlier = bend, predicted = gain / (2 * r);
        x = combine(1.0, x, on_rise, denoised, -on_rise - on_earlier - predicted, before, on_earlier + predicted,
                    earlier);
      }
    }
    const double keep = sigma(s) / sigma(t), gain = -alpha(s) * expm1(-h);
    second_order = h_before > 0 && h > 0 && s != logsnr_of_clean && !(options.first_order_end && i + 1 == grid.steps());
    const double slope = second_order ? gain * h / (2 * h_before) : 0;
    x = second_order ? combine(keep, x, gain + slope, denoised, -slope, before) : combine(keep, x, gain, denoised);
    earlier = std::move(before);
    before = std::move(denoised);
    h_earlier = h_before;
    h_before = h;
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, before, x})) break;
  }
  return x;
}

}  // namespace ul
