#pragma once
// The mean and covariance of features that arrive in batches.

#include <cmath>
#include <span>
#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

// mean (D); covariance (D, D), symmetric, divided by one less than the number of samples.
struct gaussian_fit {
  std::vector<double> mean, covariance;
};

// Keeps sums in double; how the samples are split into batches changes no more than their rounding.
// Source: Chan, Golub and LeVeque, COMPSTAT 1982, equations 2.1.
class gaussian_fitter {
 public:
  // Throws ul::error for less than one feature.
  explicit gaussian_fitter(extent features) : features_(features) {
    if (features < 1) fail("gaussian_fitter: ", features, " features, expected at least 1");
    mean_.resize(static_cast<std::size_t>(features));
    squares_.resize(static_cast<std::size_t>(checked_mul(features, features, "gaussian_fitter")));
  }

  extent features() const { return features_; }
  extent count() const { return count_; }  // samples so far

  // Features (n, D) of n more samples. Throws ul::error, and takes none, when they are not whole samples or a value is
  // not finite.
  void add(std::span<const float> x) {
    const extent D = features_, values = static_cast<extent>(x.size()), n = values / D;
    if (values % D != 0) fail("gaussian_fitter: ", values, " values, expected a multiple of ", D, " features");
    for (extent i = 0; i < values; ++i) {
      const float v = x[static_cast<std::size_t>(i)];
      if (!std::isfinite(v)) fail("gaussian_fitter: feature ", i % D, " of sample ", count_ + i / D, " is ", v);
    }
    if (n == 0) return;

    std::vector<double> centred(x.begin(), x.end()), mean(mean_.size());
    for (extent i = 0; i < n; ++i) add_row(mean.data(), 1 / static_cast<double>(n), centred.data() + i * D, 0);
    for (extent i = 0; i < n; ++i) add_row(centred.data() + i * D, -1, mean.data(), 0);
    add_row(mean.data(), -1, mean_.data(), 0);  // now from the old mean to the batch's

    const double all = static_cast<double>(count_ + n), share = static_cast<double>(n) / all;
    for (extent row = 0; row < D; ++row) {
      double* squares = squares_.data() + row * D;
      for (const double* sample = centred.data(); sample != centred.data() + n * D; sample += D)
        add_row(squares, sample[row], sample, row);
      add_row(squares, share * static_cast<double>(count_) * mean[static_cast<std::size_t>(row)], mean.data(), row);
    }
    add_row(mean_.data(), share, mean.data(), 0);
    count_ += n;
  }

  // Throws ul::error for fewer than two samples.
  gaussian_fit fit() const {
    if (count_ < 2) fail("gaussian_fitter: ", count_, " samples, expected at least 2");
    gaussian_fit g{mean_, squares_};
    const extent D = features_;
    for (extent row = 0; row < D; ++row) {
      for (extent column = row; column < D; ++column) {
        double& upper = g.covariance[static_cast<std::size_t>(row * D + column)];
        upper /= static_cast<double>(count_ - 1);
        g.covariance[static_cast<std::size_t>(column * D + row)] = upper;
      }
    }
    return g;
  }

 private:
  // to += factor * from, from feature `first` on.
  void add_row(double* to, double factor, const double* from, extent first) const {
    for (extent i = first; i < features_; ++i) to[i] += factor * from[i];
  }

  extent features_, count_ = 0;
  std::vector<double> mean_, squares_;  // about the mean; the upper triangle
};

// The fit of features (N, D) at once. Throws ul::error as gaussian_fitter does.
inline gaussian_fit fit_gaussian(std::span<const float> x, extent features) {
  gaussian_fitter fitter(features);
  fitter.add(x);
  return fitter.fit();
}

}  // namespace ul
