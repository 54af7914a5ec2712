#pragma once
// Peak signal-to-noise ratio.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/diffusion/sample_mean.hpp>

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

// The figure that is reported: the mean over pictures of each one's PSNR, in dB. x, y: whole pictures of `size` values,
// one after the other. Values outside of [-1, 1] count as the nearest inside, as in a picture file.
// Throws ul::error when the sizes differ, nothing is given, or the values make no whole pictures.
inline sample_mean picture_psnr(std::span<const float> x, std::span<const float> y, extent size) {
  if (x.size() != y.size() || x.empty()) fail("picture_psnr: x has ", x.size(), " values, y has ", y.size());
  if (size < 1 || x.size() % static_cast<std::size_t>(size) != 0)
    fail("picture_psnr: ", x.size(), " values do not make whole pictures of ", size);
  const auto clamped = [n = static_cast<std::size_t>(size)](std::span<const float> all, std::size_t at) {
    std::vector<float> values(all.begin() + static_cast<std::ptrdiff_t>(at),
                              all.begin() + static_cast<std::ptrdiff_t>(at + n));
    for (float& v : values) v = std::clamp(v, -1.0f, 1.0f);
    return values;
  };
  sample_mean mean;
  for (std::size_t at = 0; at < x.size(); at += static_cast<std::size_t>(size))
    mean.add(psnr(clamped(x, at), clamped(y, at), 2));
  return mean;
}

}  // namespace ul
