#pragma once

#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

// The mean loss per bin of log-SNR, to see which noise levels a model is good or bad at. Levels outside
// [logsnr_min, logsnr_max] count in the nearest bin.
class loss_histogram {
 public:
  // Throws ul::error for an empty range or fewer than one bin.
  loss_histogram(double logsnr_min, double logsnr_max, extent bins) : low_(logsnr_min), high_(logsnr_max) {
    if (!(logsnr_min < logsnr_max))
      fail("loss_histogram: logsnr_min is ", logsnr_min, ", expected below logsnr_max, ", logsnr_max);
    if (bins < 1) fail("loss_histogram: ", bins, " bins, expected at least 1");
    sums_.assign(static_cast<std::size_t>(bins), 0.0);
    counts_.assign(static_cast<std::size_t>(bins), 0);
  }

  void record(double logsnr, double loss) {
    const double position = (logsnr - low_) / (high_ - low_) * static_cast<double>(bins());
    const extent last = bins() - 1;
    const extent i = !(position > 0) ? 0 : position < static_cast<double>(last) ? static_cast<extent>(position) : last;
    sums_[static_cast<std::size_t>(i)] += loss;
    ++counts_[static_cast<std::size_t>(i)];
  }

  extent bins() const { return static_cast<extent>(sums_.size()); }
  extent count(extent i) const { return counts_.at(static_cast<std::size_t>(i)); }
  double centre(extent i) const {
    return low_ + (high_ - low_) * (static_cast<double>(i) + 0.5) / static_cast<double>(bins());
  }

  // The mean loss of a bin; 0 for an empty one.
  double mean(extent i) const {
    const extent n = count(i);
    return n == 0 ? 0 : sums_[static_cast<std::size_t>(i)] / static_cast<double>(n);
  }

 private:
  double low_, high_;
  std::vector<double> sums_;
  std::vector<extent> counts_;
};

}  // namespace ul
