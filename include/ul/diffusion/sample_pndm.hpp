#pragma once

#include <vector>

#include <ul/diffusion/sampler.hpp>

namespace ul {

struct pndm_options {
  extent first = 0;
  std::vector<double> middles = {};  // the levels half way through the first three steps; none: half way in log-SNR
};

// PNDM: three steps of a Runge-Kutta kind, then the four-step Adams-Bashforth average of eps^, each moved along by
// DDIM's exact transfer. Four denoiser calls in each of the first three steps, one in the others. Order 2 on grids of
// equal steps of log-SNR (the average takes steps for equal).
// Source: Liu et al., arXiv 2202.09778, algorithm 2.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_pndm(Denoiser&& denoiser, State x, const logsnr_grid& grid, const pndm_options& options = {},
                  Observer&& observer = {}) {
  const extent first = grid.check_first(options.first, "sample_pndm");
  const auto moved = [](const State& from, const State& eps, double t, double s) {
    return combine(alpha(s) / alpha(t), from, alpha(s) * (edm_sigma(s) - edm_sigma(t)), eps);
  };
  std::vector<State> history;
  for (extent i = first; i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    const State eps = detail::noise_of(x, prediction, t);
    State average = eps;
    const auto started = static_cast<std::size_t>(i - first);
    if (started < 3 && s != logsnr_of_clean) {
      const double middle = started < options.middles.size() ? options.middles[started] : (t + s) / 2;
      const auto eps_at = [&](const State& y, double level) { return detail::noise_of(y, denoiser(y, level), level); };
      const State second = eps_at(moved(x, eps, t, middle), middle);
      const State third = eps_at(moved(x, second, t, middle), middle);
      const State fourth = eps_at(moved(x, third, t, s), s);
      average = combine(1.0 / 6, eps, 1.0 / 3, second, 1.0 / 3, third, 1.0 / 6, fourth);
    }
    history.insert(history.begin(), eps);
    if (history.size() > 4) history.pop_back();
    if (started >= 3)
      average = combine(55.0 / 24, history[0], -59.0 / 24, history[1], 37.0 / 24, history[2], -9.0 / 24, history[3]);
    x = moved(x, average, t, s);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

}  // namespace ul
