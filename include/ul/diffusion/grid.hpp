#pragma once
// The log-SNR levels a sampler visits, noisiest first. A sampler starts from a state at the first level and returns the
// state at the last, noisy unless the last is +infinity.

#include <initializer_list>
#include <limits>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

inline constexpr double logsnr_of_clean = std::numeric_limits<double>::infinity();
inline constexpr double logsnr_of_noise = -std::numeric_limits<double>::infinity();

class logsnr_grid {
 public:
  // Throws ul::error for fewer than two levels, and for levels that fall or are not numbers. Equal neighbours are
  // legal: published grids repeat their last level.
  explicit logsnr_grid(std::vector<double> levels) : levels_(std::move(levels)) {
    if (levels_.size() < 2) fail("logsnr_grid: ", levels_.size(), " levels, expected at least 2");
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i)
      if (!(levels_[i] <= levels_[i + 1]))
        fail("logsnr_grid: level ", i + 1, " is ", levels_[i + 1], ", expected at least level ", i, ", ", levels_[i],
             ": grids run from noise to data");
  }
  logsnr_grid(std::initializer_list<double> levels) : logsnr_grid(std::vector<double>(levels)) {}

  extent steps() const { return static_cast<extent>(levels_.size()) - 1; }
  double operator[](extent i) const { return levels_[static_cast<std::size_t>(i)]; }  // 0 <= i <= steps()
  const std::vector<double>& levels() const { return levels_; }

  // The index itself. Throws ul::error naming `what` unless a sampler can begin at it.
  extent check_first(extent first, const char* what) const {
    if (first < 0 || first >= steps())
      fail(what, ": first step is ", first, ", expected 0 to ", steps() - 1, " on this grid");
    return first;
  }

  // The same grid with one more level at the end.
  logsnr_grid then(double level) const {
    std::vector<double> longer = levels_;
    longer.push_back(level);
    return logsnr_grid(std::move(longer));
  }

  // The same grid with every level moved by `shift`; a flow's time shift by k is flow_shift(k).
  logsnr_grid shifted(double shift) const {
    std::vector<double> moved = levels_;
    for (double& level : moved) level += shift;
    return logsnr_grid(std::move(moved));
  }

 private:
  std::vector<double> levels_;
};

namespace detail {

// steps + 1 levels: level(u) at u = i / steps.
template <class F>
logsnr_grid make_grid(const char* what, extent steps, F&& level) {
  if (steps < 1) fail(what, ": ", steps, " steps, expected at least 1");
  std::vector<double> levels;
  for (extent i = 0; i <= steps; ++i) levels.push_back(level(static_cast<double>(i) / static_cast<double>(steps)));
  return logsnr_grid(std::move(levels));
}

}  // namespace detail

// Equal steps of log-SNR.
inline logsnr_grid uniform_logsnr_grid(double logsnr_first, double logsnr_last, extent steps) {
  return detail::make_grid("uniform_logsnr_grid", steps,
                           [=](double u) { return detail::mix(logsnr_first, logsnr_last, u); });
}

// Equal steps of a schedule's time, from t = 1 to t = 0.
template <schedule S>
logsnr_grid uniform_time_grid(const S& s, extent steps) {
  return detail::make_grid("uniform_time_grid", steps, [&s](double u) { return s.logsnr(1 - u); });
}

// EDM's grid: equal steps of sigma^(1/rho). `.then(logsnr_of_clean)` appends its final sigma = 0.
// Source: Karras et al., arXiv 2206.00364, equation 5.
struct karras_options {
  double sigma_min = 0.002;
  double sigma_max = 80;
  double rho = 7;
};
inline logsnr_grid karras_grid(extent steps, const karras_options& o = {}) {
  if (!(o.sigma_min > 0 && o.sigma_min < o.sigma_max))
    fail("karras_grid: sigma_min is ", o.sigma_min, ", expected above 0 and below sigma_max, ", o.sigma_max);
  const double low = exp(log(o.sigma_min) / o.rho), high = exp(log(o.sigma_max) / o.rho);
  return detail::make_grid("karras_grid", steps, [&](double u) {
    return u == 0   ? logsnr_from_edm_sigma(o.sigma_max)
           : u == 1 ? logsnr_from_edm_sigma(o.sigma_min)
                    : -2 * o.rho * log(detail::mix(high, low, u));
  });
}

// Equal ratios of EDM's sigma, which are equal steps of log-SNR, between the same ends.
// Source: Crowson, k-diffusion (get_sigmas_exponential).
inline logsnr_grid exponential_grid(extent steps, double sigma_min = 0.002, double sigma_max = 80) {
  if (!(sigma_min > 0 && sigma_min < sigma_max))
    fail("exponential_grid: sigma_min is ", sigma_min, ", expected above 0 and below sigma_max, ", sigma_max);
  return uniform_logsnr_grid(logsnr_from_edm_sigma(sigma_max), logsnr_from_edm_sigma(sigma_min), steps);
}

// Equal steps of flow time from s_first down to s_last (1 is pure noise, 0 clean data), as flow models sample.
inline logsnr_grid flow_grid(extent steps, double s_first = 1, double s_last = 0) {
  return detail::make_grid("flow_grid", steps,
                           [=](double u) { return logsnr_from_flow_time(detail::mix(s_first, s_last, u)); });
}

}  // namespace ul
