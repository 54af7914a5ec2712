#pragma once

#include <ul/diffusion/multistep.hpp>

namespace ul {

struct lms_options {
  extent first = 0;
  extent order = 4;
  multistep_restart restart = multistep_restart::first_order;
};

// Linear multistep in sigma: eps^ is extrapolated by the polynomial through the last `order` calls and integrated
// exactly. One denoiser call a step. The first steps are of orders 1, 2, ..., so the whole is of order 2.
// Source: Crowson, k-diffusion (sample_lms), after the Adams-Bashforth methods.
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_lms(Denoiser&& denoiser, State x, const logsnr_grid& grid, const lms_options& options = {},
                 Observer&& observer = {}) {
  if (options.order < 1) fail("sample_lms: order is ", options.order, ", expected at least 1");
  const extent first = grid.check_first(options.first, "sample_lms");
  detail::eps_history<State> history;
  for (extent i = first; i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    history.push(detail::noise_of(x, prediction, t), t, options.order);
    std::vector<double> nodes, weights;
    for (const double level : history.levels) nodes.push_back(edm_sigma(level));
    if (options.restart == multistep_restart::published)
      for (extent k = first - 1; k >= 0 && static_cast<extent>(nodes.size()) < options.order; --k)
        nodes.push_back(edm_sigma(grid[k]));
    for (std::size_t k = 0; k < nodes.size(); ++k)
      weights.push_back(detail::lagrange_integral(nodes, k, edm_sigma(t), edm_sigma(s), [](double) { return 1.0; }));
    x = detail::multistep_move(x, t, s, weights, history.eps);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

}  // namespace ul
