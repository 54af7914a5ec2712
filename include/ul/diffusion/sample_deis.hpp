#pragma once

#include <ul/diffusion/multistep.hpp>

namespace ul {

struct deis_options {
  extent first = 0;
  extent order = 2;
  bool first_order_end = false;  // a last step of order 1, as published
};

// DEIS, log-rho form: eps^ is extrapolated by the polynomial in log sigma through the last `order` calls and integrated
// over sigma. One denoiser call a step. Order 2 from `order` 2 on, because the first step is of order 1, as is a step
// to clean data. Source: Zhang and Chen, arXiv 2204.13902, section 4 (rho = sigma / alpha).
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_deis(Denoiser&& denoiser, State x, const logsnr_grid& grid, const deis_options& options = {},
                  Observer&& observer = {}) {
  if (options.order < 1) fail("sample_deis: order is ", options.order, ", expected at least 1");
  detail::eps_history<State> history;
  for (extent i = grid.check_first(options.first, "sample_deis"); i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1];
    const auto prediction = denoiser(std::as_const(x), t);
    history.push(detail::noise_of(x, prediction, t), t, options.order);
    const bool first_order = s == logsnr_of_clean || (options.first_order_end && i + 1 == grid.steps());
    std::vector<double> weights{edm_sigma(s) - edm_sigma(t)};
    if (!first_order && history.eps.size() > 1) {
      std::vector<double> nodes;  // log sigma = -lambda / 2
      for (const double level : history.levels) nodes.push_back(-level / 2);
      weights.clear();
      for (std::size_t k = 0; k < nodes.size(); ++k)
        weights.push_back(detail::lagrange_integral(nodes, k, -t / 2, -s / 2, [](double u) { return exp(u); }));
    }
    x = detail::multistep_move(x, t, s, weights, history.eps);
    if (detail::stops(observer, sampler_step<State>{i, grid.steps(), t, s, detail::clean<State>(prediction), x})) break;
  }
  return x;
}

}  // namespace ul
