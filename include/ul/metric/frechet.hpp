#pragma once
// The Fréchet distance between two sets of features. It is called FID only where the features are Inception-v3's.

#include <Eigen/Cholesky>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include <ul/metric/gaussian_fit.hpp>

namespace ul {

namespace detail {

// Some F (D, D) with C = F^T F, for a symmetric positive semi-definite C (D, D) that is given row by row.
inline Eigen::MatrixXd factor_of(const std::vector<double>& c, extent D) {
  const Eigen::LDLT<Eigen::MatrixXd> parts(Eigen::Map<const Eigen::MatrixXd>(c.data(), D, D));
  Eigen::MatrixXd factor = parts.transpositionsP() * Eigen::MatrixXd::Identity(D, D);
  factor = parts.matrixU() * factor;
  // What rounding alone leaves of a zero, perhaps below it, is a zero: its root would be half the digits.
  const Eigen::ArrayXd pivots = parts.vectorD().array();
  const double least = static_cast<double>(D) * std::numeric_limits<double>::epsilon() * pivots.abs().maxCoeff();
  const Eigen::VectorXd roots = (pivots > least).select((pivots.max)(0.0).sqrt(), 0);
  return roots.asDiagonal() * factor;
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
  const Eigen::MatrixXd product = detail::factor_of(a.covariance, D) * detail::factor_of(b.covariance, D).transpose();
  distance -= 2 * Eigen::BDCSVD<Eigen::MatrixXd>(product).singularValues().sum();
  return (std::max)(0.0, distance);
}

// The same for features (N, D) and (M, D), at least two samples each.
inline double frechet_distance(std::span<const float> a, std::span<const float> b, extent features) {
  return frechet_distance(fit_gaussian(a, features), fit_gaussian(b, features));
}

}  // namespace ul
