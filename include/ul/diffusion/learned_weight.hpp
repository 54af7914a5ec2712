#pragma once

#include <vector>

#include <ul/core/checked.hpp>
#include <ul/core/math.hpp>

namespace ul {

// Learned per-level log-variance: the error E of a sample at log-SNR lambda trains as E e^-u + u with u = u(lambda),
// which at its optimum u = log E[E] gives every level the same weight. u is piecewise linear between equally spaced
// knots, constant beyond them; its knots train beside the network.
// Source: Karras et al., EDM2, arXiv 2312.02696, equations 14 to 16; Kendall et al., arXiv 1705.07115.
struct learned_weight {
  double logsnr_min = -10;
  double logsnr_max = 10;
  std::vector<double> knots = std::vector<double>(32, 0.0);

  double log_variance(double logsnr) const {
    const place p = locate(logsnr);
    return (1 - p.fraction) * knots[p.left] + p.fraction * knots[p.left + 1];
  }

  // e^-u: what the sample's error, and so the gradient of the network, is multiplied by.
  double operator()(double logsnr) const { return exp(-log_variance(logsnr)); }

  // E e^-u + u.
  double loss(double logsnr, double error) const { return error * (*this)(logsnr) + log_variance(logsnr); }

  // Adds `scale` times the gradient of loss() by the knots to `gradient`, of as many elements.
  void add_gradient(double logsnr, double error, double scale, std::vector<double>& gradient) const {
    if (gradient.size() != knots.size())
      fail("learned_weight: the gradient has ", gradient.size(), " elements, the weight ", knots.size(), " knots");
    const place p = locate(logsnr);
    const double slope = scale * (1 - error * (*this)(logsnr));
    gradient[p.left] += slope * (1 - p.fraction);
    gradient[p.left + 1] += slope * p.fraction;
  }

 private:
  struct place {
    std::size_t left;
    double fraction;
  };
  place locate(double logsnr) const {
    if (knots.size() < 2) fail("learned_weight: ", knots.size(), " knots, expected at least 2");
    if (!(logsnr_min < logsnr_max))
      fail("learned_weight: logsnr_min is ", logsnr_min, ", expected below logsnr_max, ", logsnr_max);
    const double last = static_cast<double>(knots.size() - 1);
    const double position = minimum(maximum((logsnr - logsnr_min) / (logsnr_max - logsnr_min), 0.0), 1.0) * last;
    const double left = minimum(floor(position), last - 1);
    return {static_cast<std::size_t>(left), position - left};
  }
};

}  // namespace ul
