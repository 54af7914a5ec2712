#pragma once
// Power-function averages of weights: the average at time t weighs the weights of time s <= t by s^exponent, so it
// spans a fixed fraction of the training so far. Karras et al. 2024, "Analyzing and Improving the Training Dynamics of
// Diffusion Models", section 3 and appendix C.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

// The width of the profile, its standard deviation as a fraction of the training time, for an exponent >= 0.
inline double power_sigma_rel(double exponent) {
  if (!(exponent >= 0)) fail("power_sigma_rel: exponent is ", exponent, ", expected at least 0");
  return std::sqrt((exponent + 1) / (exponent + 3)) / (exponent + 2);
}

// Its inverse: the largest root g of g^3 + 7 g^2 + (16 - sigma_rel^-2) g + 12 - sigma_rel^-2, for 0 < sigma_rel <=
// 1/sqrt(12). Throws ul::error outside.
inline double power_exponent(double sigma_rel) {
  if (!(sigma_rel > 0 && sigma_rel * sigma_rel <= 1. / 12 + 1e-16))
    fail("power_exponent: sigma_rel is ", sigma_rel, ", expected in (0, 0.288675]");
  const double q = 1 / (sigma_rel * sigma_rel);
  double g = 1 / sigma_rel;  // above the root, where the cubic is convex: Newton's steps only ever go down
  for (;;) {
    const double value = ((g + 7) * g + 16 - q) * g + 12 - q, slope = (3 * g + 14) * g + 16 - q;
    const double next = g - value / slope;
    if (!(next < g)) return (std::max)(g, 0.);
    g = next;
  }
}

// The decay of the update that ends at `time` and lasts `duration` of it: (1 - duration / time)^(exponent + 1).
inline double power_decay(double exponent, double time, double duration = 1) {
  return std::pow(1 - duration / time, exponent + 1);
}

// An average that was kept: its exponent, and the time (in updates) it was taken at.
struct power_profile {
  double exponent = 0;
  double time = 1;
};

// weights: what to multiply each kept average by; error: the distance of the profile so made from the wanted one,
// relative to the norm of the wanted one.
struct power_reconstruction {
  std::vector<double> weights;
  double error = 0;
};

namespace detail {

// The cosine of the angle between two profiles, as functions on the time axis.
inline double profile_cosine(const power_profile& x, const power_profile& y) {
  const power_profile& early = x.time < y.time ? x : y;
  const power_profile& late = x.time < y.time ? y : x;
  return std::sqrt((2 * x.exponent + 1) * (2 * y.exponent + 1)) / (x.exponent + y.exponent + 1) *
         std::pow(early.time / late.time, late.exponent + 0.5);
}
inline double profile_norm(const power_profile& p) {
  return (p.exponent + 1) / std::sqrt((2 * p.exponent + 1) * p.time);
}

}  // namespace detail

// The combination of kept averages that comes closest, in the least-squares sense over time, to an average that was not
// kept; nothing needs to be trained again. A kept average that adds nothing new gets weight 0.
// Throws ul::error when nothing is kept, or a profile has an exponent < 0 or a time <= 0.
// Karras et al. 2024, appendix C.2; the normal equations, scaled to unit diagonal, by pivoted Cholesky.
inline power_reconstruction reconstruct(std::span<const power_profile> kept, const power_profile& wanted) {
  const auto checked = [](const power_profile& p) {
    if (!(p.exponent >= 0 && p.time > 0 && std::isfinite(p.exponent) && std::isfinite(p.time)))
      fail("reconstruct: a profile has exponent ", p.exponent, " and time ", p.time, ", expected >= 0 and > 0");
  };
  checked(wanted);
  if (kept.empty()) fail("reconstruct: 0 averages are kept, expected at least 1");
  for (const power_profile& p : kept) checked(p);

  // Row i holds the factor's entries of average order[i]; `rest` is what of each average the pivots do not span yet.
  const std::size_t n = kept.size();
  std::vector<std::size_t> order(n);
  std::vector<double> factor(n * n), rest(n, 1.), projection;
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  for (std::size_t j = 0; j < n; ++j) {
    std::size_t best = j;
    for (std::size_t i = j + 1; i < n; ++i)
      if (rest[order[i]] > rest[order[best]]) best = i;
    if (rest[order[best]] < 1e-13) break;
    std::swap(order[j], order[best]);
    const std::size_t p = order[j];
    const double* row = &factor[p * n];
    const double pivot = std::sqrt(rest[p]);
    const auto entry = [&](double cosine, const double* other) {
      for (std::size_t k = 0; k < j; ++k) cosine -= row[k] * other[k];
      return cosine / pivot;
    };
    const double along = entry(detail::profile_cosine(kept[p], wanted), projection.data());
    projection.push_back(along);
    for (std::size_t i = j + 1; i < n; ++i) {
      double* other = &factor[order[i] * n];
      other[j] = entry(detail::profile_cosine(kept[p], kept[order[i]]), other);
      rest[order[i]] -= other[j] * other[j];
    }
    factor[p * n + j] = pivot;
  }

  power_reconstruction result{std::vector<double>(n, 0.), 0};
  double left = 1;
  for (const double z : projection) left -= z * z;
  result.error = std::sqrt((std::max)(left, 0.));
  for (std::size_t j = projection.size(); j-- > 0;) {
    const std::size_t p = order[j];
    const double y = projection[j] / factor[p * n + j];
    for (std::size_t k = 0; k < j; ++k) projection[k] -= y * factor[p * n + k];
    result.weights[p] = y * detail::profile_norm(wanted) / detail::profile_norm(kept[p]);
  }
  return result;
}

}  // namespace ul
