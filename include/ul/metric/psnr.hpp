#pragma once
// Peak signal-to-noise ratio.

#include <cmath>
#include <limits>
#include <span>

#include <ul/core/checked.hpp>

namespace ul {

// 10 log10(range^2 / mean (x - y)^2), in dB. x, y: one image, or several to be taken as one, in any layout; `range` is
// what separates black from white, so 2 for values in [-1, 1]. Infinite for equal images.
// Throws ul::error when the sizes differ, nothing is given, or range <= 0.
inline double psnr(std::span<const float> x, std::span<const float> y, double range) {
  if (x.size() != y.size() || x.empty()) fail("psnr: x has ", x.size(), " values, y has ", y.size());
  if (!(range > 0)) fail("psnr: range is ", range, ", expected above 0");
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double d = static_cast<double>(x[i]) - static_cast<double>(y[i]);
    sum += d * d;
  }
  const double mean = sum / static_cast<double>(x.size());
  return mean == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(range * range / mean);
}

}  // namespace ul
