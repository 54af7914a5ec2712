#pragma once
// The built-in data set: pictures of synthetic galaxies as a telescope would take them. Four classes of equal share:
// 0 elliptical, 1 spiral, 2 barred spiral, 3 edge-on disc. Item i is a pure function of seed and i, and the same
// galaxy at every resolution.

#include <algorithm>
#include <cmath>
#include <vector>

#include <ul/data/data_set.hpp>
#include <ul/data/galaxy.hpp>
#include <ul/io/image.hpp>

namespace ul {

struct galaxies_options {
  extent count = 10000;
  extent resolution = 32;  // pixels along each side
  extent channels = 3;     // 3 colour, 1 grey
  std::uint64_t seed = 1;
  float seeing = 0.018f;  // full width at half maximum of a point, as a fraction of the side
  float noise = 0.007f;   // standard deviation of the sky, in units of a bright centre
};

class galaxies {
 public:
  // Throws ul::error on options that make no picture.
  explicit galaxies(const galaxies_options& options = {}) : options_(options) {
    const auto& o = options_;
    if (o.count < 1) fail("galaxies: count is ", o.count, ", expected at least 1");
    if (o.resolution < 4 || o.resolution > 4096) fail("galaxies: resolution is ", o.resolution, ", expected 4 to 4096");
    if (o.channels != 1 && o.channels != 3) fail("galaxies: channels is ", o.channels, ", expected 1 or 3");
    if (!(o.seeing >= 0 && o.seeing <= 0.2f)) fail("galaxies: seeing is ", o.seeing, ", expected 0 to 0.2");
    if (!(o.noise >= 0 && o.noise <= 1)) fail("galaxies: noise is ", o.noise, ", expected 0 to 1");
  }

  extent size() const { return options_.count; }
  ul::extents extents() const { return {options_.resolution, options_.resolution, options_.channels}; }
  extent classes() const { return 4; }
  extent label(extent i) const {
    detail::check_item("galaxies", i, size());
    return i % 4;
  }

  void read(extent i, float* out) const {
    const key k = key(options_.seed).fold_in(static_cast<std::uint64_t>(i));
    const extent n = options_.resolution;
    std::vector<band_light> field = expose(galaxy(k, static_cast<morphology>(label(i))));
    blur(field);
    const key noise = k.split(2);
    for (extent p = 0; p < n * n; ++p) {
      const band_light seen = develop(noisy(field[static_cast<std::size_t>(p)], noise, static_cast<std::uint64_t>(p)));
      if (options_.channels == 3) {
        *out++ = quantised(seen.red);
        *out++ = quantised(seen.green);
        *out++ = quantised(seen.blue);
      } else {
        *out++ = quantised((seen.red + seen.green + seen.blue) / 3);
      }
    }
  }

 private:
  // The light collected by each pixel: the mean over a lattice of points in it.
  std::vector<band_light> expose(const galaxy& object) const {
    const extent n = options_.resolution;
    const extent points = n < 32 ? 4 : n < 128 ? 2 : 1;  // a side: as many as fine detail and time allow
    const float step = 1 / static_cast<float>(n * points), share = 1 / static_cast<float>(points * points);
    std::vector<band_light> field(static_cast<std::size_t>(n * n));
    for (extent y = 0; y < n * points; ++y) {
      for (extent x = 0; x < n * points; ++x) {
        band_light& pixel = field[static_cast<std::size_t>(y / points * n + x / points)];
        pixel = pixel + share * object((static_cast<float>(x) + 0.5f) * step, (static_cast<float>(y) + 0.5f) * step);
      }
    }
    return field;
  }

  // The point-spread function: a Gaussian, along rows and then along columns; the field goes on as its edge.
  void blur(std::vector<band_light>& field) const {
    const extent n = options_.resolution;
    const float sigma = options_.seeing * static_cast<float>(n) / 2.3548f;
    const auto reach = static_cast<extent>(std::ceil(3 * sigma));
    std::vector<float> weight;
    float total = 0;
    for (extent d = -reach; d <= reach; ++d) {
      // The Gaussian over the width of a pixel, so that a narrow one still has its variance.
      const auto below = [&](float x) { return std::erf(x / (sigma * 1.41421356f)); };
      const auto at = static_cast<float>(d);
      weight.push_back(sigma > 0 ? below(at + 0.5f) - below(at - 0.5f) : 1.0f);
      total += weight.back();
    }
    std::vector<band_light> line(static_cast<std::size_t>(n));
    const auto along = [&](extent first, extent stride) {
      for (extent i = 0; i < n; ++i)
        line[static_cast<std::size_t>(i)] = field[static_cast<std::size_t>(first + i * stride)];
      for (extent i = 0; i < n; ++i) {
        band_light sum;
        for (extent d = -reach; d <= reach; ++d) {
          const extent from = (std::min)(n - 1, (std::max)(extent{0}, i + d));
          sum = sum + weight[static_cast<std::size_t>(d + reach)] / total * line[static_cast<std::size_t>(from)];
        }
        field[static_cast<std::size_t>(first + i * stride)] = sum;
      }
    };
    for (extent row = 0; row < n; ++row) along(row * n, 1);
    for (extent column = 0; column < n; ++column) along(column, n);
  }

  // Sky noise, and the noise of the object's own photons, which grows with the root of its light.
  band_light noisy(band_light light, key k, std::uint64_t pixel) const {
    const auto add = [&](float x, std::uint64_t band) {
      const float variance = options_.noise * options_.noise * (1 + 8 * x);
      return x + std::sqrt(variance) * normal_at<float>(k, 4 * pixel + band);
    };
    return {add(light.red, 0), add(light.green, 1), add(light.blue, 2)};
  }

  // Linear light -> a picture in [0, 1]: asinh of the mean, which keeps colours from core to outskirts.
  // Lupton et al., PASP 116, 2004.
  static band_light develop(band_light light) {
    const float mean = (light.red + light.green + light.blue) / 3, soft = 0.06f;
    const float bright = std::asinh(mean / soft) / std::asinh(1.4f / soft);
    const float gain = std::abs(mean) > 1e-6f ? bright / mean : 1 / (soft * std::asinh(1.4f / soft));
    const band_light sky{0.045f, 0.045f, 0.06f};
    band_light seen = gain * light + sky;
    const float most = (std::max)(seen.red, (std::max)(seen.green, seen.blue));
    return most > 1 ? 1 / most * seen : seen;
  }

  // In [-1, 1], in the 256 steps of an ordinary picture.
  static float quantised(float x) { return value_of(byte_of(2 * x - 1)); }

  galaxies_options options_;
};

}  // namespace ul
