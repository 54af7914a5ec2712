#pragma once
// The Fréchet distance between two sets of features. It is called FID only where the features are Inception-v3's.

#include <algorithm>
#include <utility>

#include <ul/metric/gaussian_fit.hpp>
#include <ul/metric/singular_values.hpp>

namespace ul {

namespace detail {

// Some F (rank, D) with C = F^T F, for a symmetric positive semi-definite C (D, D): Cholesky with the largest pivots
// first, up to where rounding begins. Source: Higham, Accuracy and Stability of Numerical Algorithms, section 10.3.
inline std::vector<double> factor_of(std::vector<double> c, extent D) {
  const auto at = [&](extent i, extent j) -> double& { return c[static_cast<std::size_t>(i * D + j)]; };
  std::vector<double> factor;
  double smallest = 0;
  for (extent rank = 0; rank < D; ++rank) {
    extent p = 0;
    for (extent i = 1; i < D; ++i)
      if (at(i, i) > at(p, p)) p = i;
    const double pivot = at(p, p);
    if (rank == 0) smallest = static_cast<double>(D) * std::numeric_limits<double>::epsilon() * pivot;
    if (!(pivot > smallest)) break;
    const double root = std::sqrt(pivot);
    for (extent j = 0; j < D; ++j) factor.push_back(at(p, j) / root);
    const double* f = factor.data() + rank * D;
    for (extent i = 0; i < D; ++i)
      for (extent j = 0; j < D; ++j) at(i, j) -= f[i] * f[j];
    for (extent j = 0; j < D; ++j) at(p, j) = at(j, p) = 0;
  }
  return factor;
}

inline void check_fit(const gaussian_fit& g, std::size_t features) {
  if (g.mean.size() != features || g.covariance.size() != features * features || features == 0) {
    fail("frechet_distance: a mean of ", g.mean.size(), " features and a covariance of ", g.covariance.size(),
         " elements, expected ", features, " and ", features * features);
  }
  for (const auto* values : {&g.mean, &g.covariance})
    for (const double v : *values)
      if (!std::isfinite(v)) fail("frechet_distance: a moment is ", v, ", expected a finite number");
}

}  // namespace detail

// |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^1/2), at least 0. It falls with the number of samples, so that only
// figures from equal numbers compare. With C = F^T F the last trace is the sum of the singular values of F_a F_b^T: the
// eigenvalues of C_a^1/2 C_b C_a^1/2 are their squares, which would cost half the digits.
// Throws ul::error when the numbers of features differ or a moment is not finite.
// Source: Dowson and Landau 1982, equation 4; Heusel et al. 2017, section 2.
inline double frechet_distance(const gaussian_fit& a, const gaussian_fit& b) {
  detail::check_fit(a, a.mean.size());
  detail::check_fit(b, a.mean.size());
  const extent D = static_cast<extent>(a.mean.size());
  double distance = 0;
  for (std::size_t i = 0; i < a.mean.size(); ++i) {
    const double d = a.mean[i] - b.mean[i];
    distance += d * d + a.covariance[i * (a.mean.size() + 1)] + b.covariance[i * (a.mean.size() + 1)];
  }
  const std::vector<double> fa = detail::factor_of(a.covariance, D), fb = detail::factor_of(b.covariance, D);
  const extent rows = static_cast<extent>(fa.size()) / D, columns = static_cast<extent>(fb.size()) / D;
  std::vector<double> product;
  for (extent i = 0; i < rows; ++i)
    for (extent j = 0; j < columns; ++j)
      product.push_back(detail::row_product(fa.data() + i * D, fb.data() + j * D, D));
  for (const double s : singular_values(std::move(product), rows, columns)) distance -= 2 * s;
  return (std::max)(0.0, distance);
}

// The same for features (N, D) and (M, D), at least two samples each.
inline double frechet_distance(std::span<const float> a, std::span<const float> b, extent features) {
  return frechet_distance(fit_gaussian(a, features), fit_gaussian(b, features));
}

}  // namespace ul
