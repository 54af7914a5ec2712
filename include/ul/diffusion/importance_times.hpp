#pragma once

#include <vector>

#include <ul/diffusion/time_sampling.hpp>

namespace ul {

// Times drawn where the loss has been large: piecewise uniform over equal bins of time, each with probability
// proportional to the root mean square of its recent losses, mixed with a uniform share. Until every bin has been met
// the times are uniform. Its members are its whole state.
// Source: Nichol and Dhariwal, arXiv 2102.09672, section 3.3 (there with the last ten losses of a step).
struct importance_times {
  extent bins = 64;
  double decay = 0.9;            // of the running mean of squared losses, per loss
  double uniform_share = 0.001;  // the least share of the uniform distribution
  std::vector<double> mean_square = {};

  // Takes note of the loss of one sample at time t. Losses that are not finite are ignored.
  void record(double t, double loss) {
    check_time("importance_times", t);
    if (bins < 1) fail("importance_times: ", bins, " bins, expected at least 1");
    if (!(loss * loss < 1e300)) return;
    if (mean_square.empty()) mean_square.assign(static_cast<std::size_t>(bins), -1);
    double& m = mean_square[bin(t)];
    m = m < 0 ? loss * loss : decay * m + (1 - decay) * loss * loss;
  }

  double time(double u) const {
    double below = 0;
    const auto n = static_cast<std::size_t>(bins);
    for (std::size_t i = 0; i < n; ++i) {
      const double share = probability(i);
      if (u < below + share || i + 1 == n) {
        const double within = share > 0 ? (u - below) / share : 0;
        return minimum((static_cast<double>(i) + within) / static_cast<double>(n), 1.0);
      }
      below += share;
    }
    return u;
  }
  double density(double t) const { return probability(bin(t)) * static_cast<double>(bins); }

 private:
  std::size_t bin(double t) const {
    const auto i = static_cast<extent>(t * static_cast<double>(bins));
    return static_cast<std::size_t>(i < bins ? i : bins - 1);
  }
  double probability(std::size_t i) const {
    double sum = 0;
    for (const double m : mean_square) {
      if (m < 0) return 1 / static_cast<double>(bins);
      sum += sqrt(m);
    }
    if (!(sum > 0)) return 1 / static_cast<double>(bins);
    return (1 - uniform_share) * sqrt(mean_square[i]) / sum + uniform_share / static_cast<double>(bins);
  }
};

}  // namespace ul
