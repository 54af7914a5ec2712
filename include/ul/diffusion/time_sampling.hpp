#pragma once
// Which times to train at. A time distribution is a small value with
//   time(u)      the time at which its distribution function is u, 0 <= u < 1
//   density(t)   its probability density, by which a loss is divided to keep its expectation over uniform time
// and the u of a batch come from stratified(). EDM's log-normal sigma is edm_schedule under uniform time.

#include <ul/core/checked.hpp>
#include <ul/diffusion/normal_quantile.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

template <class D>
concept time_distribution = requires(const D& d, double u) {
  { d.time(u) } -> std::convertible_to<double>;
  { d.density(u) } -> std::convertible_to<double>;
};

// The i-th of n points spread evenly over [0, 1) from one uniform u: frac(u + i / n). Each is uniform by itself; their
// mean loss varies far less than that of independent times. n = 2 is antithetic sampling.
// Throws ul::error unless 0 <= u < 1 and 0 <= i < n.
// Source: Kingma et al., arXiv 2107.00630, appendix I.1 (low-discrepancy sampler).
inline double stratified(double u, extent i, extent n) {
  if (!(u >= 0 && u < 1)) fail("stratified: u is ", u, ", expected 0 <= u < 1");
  if (i < 0 || i >= n) fail("stratified: point ", i, " of ", n, " does not exist");
  const double point = u + static_cast<double>(i) / static_cast<double>(n);
  return point < 1 ? point : point - 1;
}

struct uniform_times {
  double time(double u) const { return u; }
  double density(double) const { return 1; }
};

// t = sigmoid(mean + deviation z), z standard normal.
// Source: Esser et al., arXiv 2403.03206, section 3.1.
struct logit_normal_times {
  double mean = 0;
  double deviation = 1;

  double time(double u) const {
    const double p = maximum(u, 0x1p-60);  // u = 0 is a legal draw, its quantile is not
    return sigmoid(mean + deviation * normal_quantile(p, 1 - p));
  }
  double density(double t) const {
    constexpr double root_two_pi = 2.5066282746310005024;
    if (!(t > 0 && t < 1)) return 0;
    const double z = (log(t) - log1p(-t) - mean) / deviation;
    return exp(-z * z / 2) / (root_two_pi * deviation * t * (1 - t));
  }
};

}  // namespace ul
