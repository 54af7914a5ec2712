#pragma once
// Replaying runs of published code that steps through discrete times. A `replay::run` is the grid such a run visits and
// the time its network is told at each level; `replay::denoiser` makes a denoiser of a network that takes those times.
// The samplers are the library's own, with the options named `published` or `first_order_end` where they differ.

#include <algorithm>
#include <vector>

#include <ul/diffusion/beta_table.hpp>
#include <ul/diffusion/sampler.hpp>

namespace ul::replay {

// The nearest whole number, halves to even.
inline double rounded_to_even(double x) {
  const double below = floor(x), part = x - below;
  if (part != 0.5) return part < 0.5 ? below : below + 1;
  return floor(below / 2) * 2 == below ? below : below + 1;
}

// Table steps, noisiest first. With n the table's size:
// leading: multiples of the whole part of n / steps, plus an offset. Never reaches the last table step.
inline std::vector<double> leading_times(extent n, extent steps, extent offset = 0) {
  if (steps < 1 || steps > n) fail("leading_times: ", steps, " steps of a table of ", n);
  std::vector<double> times;
  for (extent i = steps - 1; i >= 0; --i) times.push_back(static_cast<double>(i * (n / steps) + offset));
  return times;
}
// trailing: from the last table step down in equal parts.
inline std::vector<double> trailing_times(extent n, extent steps) {
  if (steps < 1 || steps > n) fail("trailing_times: ", steps, " steps of a table of ", n);
  std::vector<double> times;
  const double part = static_cast<double>(n) / static_cast<double>(steps);
  for (extent i = 0; i < steps; ++i)
    times.push_back(rounded_to_even(static_cast<double>(n) - part * static_cast<double>(i)) - 1);
  return times;
}
// linspace: steps + 1 equal parts from the last table step to the first, rounded, without the first.
inline std::vector<double> linspace_times(extent n, extent steps) {
  if (steps < 1 || steps > n) fail("linspace_times: ", steps, " steps of a table of ", n);
  std::vector<double> times;
  for (extent i = steps; i > 0; --i)
    times.push_back(rounded_to_even(static_cast<double>(i * (n - 1)) / static_cast<double>(steps)));
  return times;
}
// The same without rounding and with the first, in single precision: steps points.
inline std::vector<double> fractional_times(extent n, extent steps) {
  if (steps < 2) fail("fractional_times: ", steps, " steps, expected at least 2");
  std::vector<double> times = detail::spaced(0, static_cast<double>(n - 1), steps, table_precision::float32);
  std::reverse(times.begin(), times.end());
  return times;
}

struct run {
  std::vector<double> times;  // told to the network at each level but the last
  logsnr_grid grid;

  double time_at(double logsnr) const {
    for (std::size_t i = 0; i < times.size(); ++i)
      if (grid[static_cast<extent>(i)] == logsnr) return times[i];
    fail("replay: log-SNR ", logsnr, " is not a level of this run");
  }
};

// Through the table's own steps, to a level that may be clean.
inline run through(const beta_table& table, const std::vector<double>& times, double last_logsnr) {
  std::vector<double> levels;
  for (const double t : times) levels.push_back(table.logsnr(static_cast<extent>(t)));
  levels.push_back(last_logsnr);
  return {times, logsnr_grid(std::move(levels))};
}

// Through given levels of the table's range, each told the nearest table step, to the table's first level.
inline run through_levels(const beta_table& table, std::vector<double> levels) {
  const tabulated_schedule schedule = table.schedule();
  std::vector<double> times;
  for (const double level : levels)
    times.push_back(rounded_to_even(schedule.time(level) * static_cast<double>(table.size() - 1)));
  levels.push_back(table.logsnr(0));
  return {std::move(times), logsnr_grid(std::move(levels))};
}
// EDM's grid over the table's range.
inline run karras(const beta_table& table, extent steps) {
  return through_levels(table, karras_grid(steps - 1, {.sigma_min = edm_sigma(table.logsnr(0)),
                                                       .sigma_max = edm_sigma(table.logsnr(table.size() - 1))})
                                   .levels());
}
// Equal steps of log-SNR over the table's range.
inline run uniform_logsnr(const beta_table& table, extent steps) {
  return through_levels(table,
                        uniform_logsnr_grid(table.logsnr(table.size() - 1), table.logsnr(0), steps - 1).levels());
}

// At fractional times, sigma linear between table steps, to clean data: k-diffusion's samplers.
inline run through_sigmas(const beta_table& table, const std::vector<double>& times) {
  std::vector<double> levels;
  for (const double t : times) {
    const auto left = static_cast<extent>(minimum(floor(t), static_cast<double>(table.size() - 2)));
    const double part = t - static_cast<double>(left);
    levels.push_back(
        logsnr_from_edm_sigma((1 - part) * edm_sigma(table.logsnr(left)) + part * edm_sigma(table.logsnr(left + 1))));
  }
  levels.push_back(logsnr_of_clean);
  return {times, logsnr_grid(std::move(levels))};
}

// A denoiser from a network (state, time) -> its prediction, told the times of a run. Gives eps^ beside x^.
template <prediction P, class Network>
auto denoiser(P p, run r, Network network) {
  return [p, r = std::move(r), network = std::move(network)]<class State>(const State& x_t,
                                                                          double logsnr) -> estimate<State> {
    const State output = network(x_t, r.time_at(logsnr));
    const auto x = p.x(logsnr), eps = p.eps(logsnr);
    return {combine(x.state, x_t, x.output, output), combine(eps.state, x_t, eps.output, output)};
  };
}

}  // namespace ul::replay
