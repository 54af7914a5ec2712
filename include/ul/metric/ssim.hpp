#pragma once
// Structural similarity. Wang, Bovik, Sheikh & Simoncelli 2004, "Image Quality Assessment: From Error Visibility to
// Structural Similarity", equation 13, with a Gaussian window.

#include <cmath>
#include <span>
#include <vector>

#include <ul/core/extents.hpp>

namespace ul {

// range: what separates black from white, so 2 for values in [-1, 1]; the window has 2 radius + 1 points to a side.
struct ssim_options {
  double range = 2;
  extent radius = 5;
  double deviation = 1.5;
  double k1 = 0.01, k2 = 0.03;
};

namespace detail {

// The weights of a Gaussian window along one axis; their sum is 1.
inline std::vector<double> gaussian_window(extent radius, double deviation) {
  std::vector<double> weight;
  double sum = 0;
  for (extent i = -radius; i <= radius; ++i) {
    const double z = static_cast<double>(i) / deviation;
    weight.push_back(std::exp(-0.5 * z * z));
    sum += weight.back();
  }
  for (double& w : weight) w /= sum;
  return weight;
}

// Weighted sums along one axis of (outer, n, inner), where the whole window fits.
inline std::vector<double> slide(const std::vector<double>& x, extent outer, extent n, extent inner,
                                 const std::vector<double>& weight) {
  const extent taps = static_cast<extent>(weight.size()), left = n - taps + 1;
  std::vector<double> y(static_cast<std::size_t>(outer * left * inner));
  for (extent o = 0; o < outer; ++o)
    for (extent m = 0; m < left; ++m)
      for (extent t = 0; t < taps; ++t) {
        const double* from = x.data() + (o * n + m + t) * inner;
        double* to = y.data() + (o * left + m) * inner;
        for (extent i = 0; i < inner; ++i) to[i] += weight[static_cast<std::size_t>(t)] * from[i];
      }
  return y;
}

}  // namespace detail

// The mean similarity, at most 1 and 1 only for equal images, of two images of shape (H, W, C): over channels, and over
// the positions where the whole window lies inside the image. Variances are not corrected for bias.
// Throws ul::error when the shape is not that of an image at least as large as the window, or sizes do not fit it.
inline double ssim(std::span<const float> x, std::span<const float> y, const extents& shape,
                   const ssim_options& options = {}) {
  if (shape.rank() != 3) fail("ssim: the shape is ", shape, ", expected (H, W, C)");
  if (!(options.range > 0 && options.deviation > 0 && options.radius >= 0))
    fail("ssim: range is ", options.range, ", deviation ", options.deviation, ", radius ", options.radius,
         ", expected above 0, above 0 and at least 0");
  const extent height = shape[0], width = shape[1], channels = shape[2], side = 2 * options.radius + 1;
  if (height < side || width < side || channels == 0)
    fail("ssim: the shape is ", shape, ", expected at least ", side, " positions to a side and a channel");
  if (static_cast<extent>(x.size()) != shape.size() || static_cast<extent>(y.size()) != shape.size())
    fail("ssim: x has ", x.size(), " values, y has ", y.size(), ", expected ", shape.size(), " for ", shape);

  const std::vector<double> window = detail::gaussian_window(options.radius, options.deviation);
  const auto local_mean = [&](auto&& value_at) {
    std::vector<double> values(x.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_at(i);
    const auto along_height = detail::slide(values, 1, height, width * channels, window);
    return detail::slide(along_height, height - side + 1, width, channels, window);
  };
  const auto at_x = [&](std::size_t i) { return static_cast<double>(x[i]); };
  const auto at_y = [&](std::size_t i) { return static_cast<double>(y[i]); };
  const auto mx = local_mean(at_x), my = local_mean(at_y);
  const auto mxx = local_mean([&](std::size_t i) { return at_x(i) * at_x(i); });
  const auto myy = local_mean([&](std::size_t i) { return at_y(i) * at_y(i); });
  const auto mxy = local_mean([&](std::size_t i) { return at_x(i) * at_y(i); });

  const double c1 = std::pow(options.k1 * options.range, 2), c2 = std::pow(options.k2 * options.range, 2);
  double sum = 0;
  for (std::size_t i = 0; i < mx.size(); ++i) {
    const double cross = mx[i] * my[i], squares = mx[i] * mx[i] + my[i] * my[i];
    sum += (2 * cross + c1) * (2 * (mxy[i] - cross) + c2) / ((squares + c1) * (mxx[i] + myy[i] - squares + c2));
  }
  return sum / static_cast<double>(mx.size());
}

}  // namespace ul
