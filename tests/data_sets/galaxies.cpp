#include <doctest/doctest.h>
#include <ul/data/galaxies.hpp>

#include "../io/support.hpp"

namespace {

using support::contains;
using support::error_of;

std::vector<float> picture(const ul::galaxies& set, ul::extent i) {
  std::vector<float> values(static_cast<std::size_t>(set.extents().size()));
  set.read(i, values.data());
  return values;
}

// The ratio of the axes of the light's second moments, without the sky.
double axis_ratio(const std::vector<float>& grey, ul::extent n) {
  double sum = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (ul::extent row = 0; row < n; ++row) {
    for (ul::extent column = 0; column < n; ++column) {
      const double light = (std::max)(0.0, (grey[static_cast<std::size_t>(row * n + column)] + 1) / 2 - 0.15);
      const auto u = static_cast<double>(column), v = static_cast<double>(row);
      sum += light;
      x += light * u;
      y += light * v;
      xx += light * u * u;
      yy += light * v * v;
      xy += light * u * v;
    }
  }
  x /= sum;
  y /= sum;
  xx = xx / sum - x * x;
  yy = yy / sum - y * y;
  xy = xy / sum - x * y;
  const double mean = (xx + yy) / 2, spread = std::hypot((xx - yy) / 2, xy);
  return std::sqrt((mean - spread) / (mean + spread));
}

static_assert(ul::labelled_data_set<ul::galaxies>);

}  // namespace

TEST_CASE("sersic: half of the light lies inside the half-light radius") {
  for (const float index : {1.0f, 2.5f, 4.0f, 10.0f}) {
    double inside = 0, all = 0;
    const double step = 1e-3;  // in ln r
    for (double t = -25; t < 12; t += step) {
      const double r = std::exp(t + step / 2), light = ul::detail::sersic(static_cast<float>(r), index) * r * r;
      all += light;
      if (t + step / 2 < 0) inside += light;
    }
    CHECK(inside / all == doctest::Approx(0.5).epsilon(1e-3));
    CHECK(ul::detail::sersic(1, index) == 1.0f);
  }
}

TEST_CASE("galaxies: an item depends on seed and number alone") {
  const ul::galaxies set({.count = 1000, .resolution = 16}), longer({.count = 2000, .resolution = 16});
  const std::vector<float> first = picture(set, 7);
  picture(set, 8);
  CHECK(picture(set, 7) == first);
  CHECK(picture(longer, 7) == first);
  CHECK(picture(set, 11) != first);
  CHECK(picture(ul::galaxies({.count = 1000, .resolution = 16, .seed = 2}), 7) != first);
  for (const float value : first) CHECK(value == ul::value_of(ul::byte_of(value)));
}

TEST_CASE("galaxies: four classes of equal share that look as they should") {
  const ul::extent n = 48;
  const ul::galaxies grey({.count = 64, .resolution = n, .channels = 1, .noise = 0}), colour({.count = 64, .noise = 0});
  std::vector<double> ratio(4), redness(4);
  std::vector<int> count(4);
  for (ul::extent i = 0; i < grey.size(); ++i) {
    const auto label = static_cast<std::size_t>(grey.label(i));
    ++count[label];
    const double r = axis_ratio(picture(grey, i), n);
    CAPTURE(i);
    CAPTURE(r);
    CHECK((label == 3 ? r < 0.55 : r > 0.38));
    ratio[label] += r / 16;
    const std::vector<float> rgb = picture(colour, i);
    double red = 0, blue = 0;
    for (std::size_t k = 0; k < rgb.size(); k += 3) {
      red += rgb[k] + 1;
      blue += rgb[k + 2] + 1;
    }
    redness[label] += red / blue / 16;
  }
  CHECK(count == std::vector<int>(4, 16));
  CHECK(ratio[0] > 0.6);
  CHECK(ratio[3] < 0.35);
  CHECK(redness[0] > redness[1] + 0.1);  // old stars are redder than spiral arms
}

TEST_CASE("galaxies: the same galaxy at every resolution, and noise of the size asked for") {
  const ul::galaxies fine({.count = 8, .resolution = 128, .channels = 1, .noise = 0}),
      coarse({.count = 8, .resolution = 32, .channels = 1, .noise = 0}),
      noisy({.count = 8, .channels = 1, .noise = 0.01f});
  for (ul::extent i = 0; i < 8; ++i) {
    const std::vector<float> large = picture(fine, i), small = picture(coarse, i), grainy = picture(noisy, i);
    double difference = 0, contrast = 0, corner = 0;
    for (std::size_t p = 0; p < 1024; ++p) {
      double mean = 0;
      for (std::size_t q = 0; q < 16; ++q) mean += large[(p / 32 * 4 + q / 4) * 128 + p % 32 * 4 + q % 4] / 16;
      difference += (mean - small[p]) * (mean - small[p]);
      contrast += (small[p] + 0.9) * (small[p] + 0.9);
      if (p < 64) corner += (grainy[p] - small[p]) * (grainy[p] - small[p]) / 64;
    }
    CHECK(difference < 0.02 * contrast);
    // The sky's slope is 1 / (0.06 asinh(1.4 / 0.06)) per unit of light, 2 units of value, the mean of three bands.
    if (i % 4 == 1)
      CHECK(std::sqrt(corner) == doctest::Approx(2 * 0.01 / (0.06 * 3.845) / std::sqrt(3.0)).epsilon(0.3));
  }
}

TEST_CASE("galaxies: options that make no picture are refused") {
  const auto galaxies_error = [](const ul::galaxies_options& options) {
    return error_of([&] { ul::galaxies set(options); });
  };
  CHECK(contains(galaxies_error({.count = 0}), "galaxies: count is 0"));
  CHECK(contains(galaxies_error({.resolution = 3}), "resolution is 3, expected 4 to 4096"));
  CHECK(contains(galaxies_error({.channels = 2}), "channels is 2, expected 1 or 3"));
  CHECK(contains(galaxies_error({.seeing = -1}), "seeing is -1"));
  CHECK(contains(galaxies_error({.noise = std::nanf("")}), "noise is nan"));
  float out[3072];
  CHECK(contains(error_of([&] { ul::galaxies({.count = 5}).read(5, out); }), "item 5 does not exist, there are 5"));
}
