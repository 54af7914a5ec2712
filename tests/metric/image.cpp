#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <ul/core/key.hpp>
#include <ul/core/uniform.hpp>
#include <ul/metric/psnr.hpp>
#include <ul/metric/ssim.hpp>

using doctest::Approx;
using ul::extent;

namespace {

std::vector<float> noise(extent count, std::uint64_t seed) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = ul::uniform_at<float>(ul::key(seed), i);
  return x;
}

}  // namespace

// torchmetrics, functional/image/psnr.py, the example of the docstring.
TEST_CASE("PSNR of four values") {
  const std::vector<float> x = {0, 1, 2, 3}, y = {3, 2, 1, 0};
  CHECK(std::abs(ul::psnr(x, y, 3) - 2.5527) <= 1e-4);
  CHECK(ul::psnr(x, y, 3) == Approx(10 * std::log10(9. / 5)).epsilon(1e-14));
  CHECK(ul::psnr(x, x, 3) == std::numeric_limits<double>::infinity());

  const std::vector<float> three = {1, 2, 3}, none;
  CHECK_THROWS_WITH(ul::psnr(x, three, 3), "psnr: x has 4 values, y has 3");
  CHECK_THROWS_WITH(ul::psnr(none, none, 3), "psnr: x has 0 values, y has 0");
  CHECK_THROWS_WITH(ul::psnr(x, y, 0), "psnr: range is 0, expected above 0");
}

TEST_CASE("PSNR of pictures is the mean of each one's, with values that a picture file can hold") {
  const std::vector<float> x = {1, -1, 0, 0.5f, 3, 0}, y = {1, -1, 1, 0, 1, -0.5f}, same = {1, -1};
  const ul::sample_mean mean = ul::picture_psnr(std::span(x).subspan(2), std::span(y).subspan(2), 2);
  const std::vector<float> kept = {1, 0};  // of the last picture
  CHECK(mean.count() == 2);
  CHECK(mean.mean() == Approx((ul::psnr(std::span(x).subspan(2, 2), std::span(y).subspan(2, 2), 2) +
                               ul::psnr(kept, std::span(y).subspan(4, 2), 2)) /
                              2));
  CHECK(mean.mean() != Approx(ul::psnr(std::span(x).subspan(2), std::span(y).subspan(2), 2)));
  CHECK(ul::picture_psnr(same, std::span(y).first(2), 2).mean() == std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH(ul::picture_psnr(x, same, 2), "picture_psnr: x has 6 values, y has 2");
  CHECK_THROWS_WITH(ul::picture_psnr(x, y, 4), "picture_psnr: 6 values do not make whole pictures of 4");
}

// torchmetrics, functional/image/ssim.py, the example of the docstring: three images of 3 channels, 256 by 256, against
// three quarters of themselves.
TEST_CASE("SSIM of scaled noise") {
  double sum = 0;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto x = noise(256 * 256 * 3, i);
    auto y = x;
    for (float& v : y) v *= 0.75f;
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    sum += ul::ssim(x, y, {256, 256, 3}, {.range = static_cast<double>(*high - *low)});
  }
  CHECK(std::abs(sum / 3 - 0.9219) <= 1e-4);
}

TEST_CASE("SSIM of equal, of flat and of any small images") {
  const auto x = noise(13 * 12 * 2, 1), y = noise(13 * 12 * 2, 2);
  CHECK(ul::ssim(x, x, {13, 12, 2}) == Approx(1).epsilon(1e-12));
  CHECK(ul::ssim(x, y, {13, 12, 2}) == Approx(ul::ssim(y, x, {13, 12, 2})).epsilon(1e-14));

  const std::vector<float> dark(121, 0.25f), light(121, 0.75f);
  const double c1 = 1e-4;
  CHECK(ul::ssim(dark, light, {11, 11, 1}, {.range = 1}) ==
        Approx((2 * 0.25 * 0.75 + c1) / (0.25 * 0.25 + 0.75 * 0.75 + c1)).epsilon(1e-12));

  // The definition, by one sum over the square window.
  double expected = 0;
  for (int h = 5; h < 13 - 5; ++h)
    for (int w = 5; w < 12 - 5; ++w)
      for (int c = 0; c < 2; ++c) {
        double total = 0, mx = 0, my = 0, vx = 0, vy = 0, vxy = 0;
        for (int pass = 0; pass < 3; ++pass)
          for (int i = -5; i <= 5; ++i)
            for (int j = -5; j <= 5; ++j) {
              const double g = std::exp(-(i * i + j * j) / (2 * 1.5 * 1.5));
              const auto at = static_cast<std::size_t>(((h + i) * 12 + w + j) * 2 + c);
              const double a = static_cast<double>(x[at]), b = static_cast<double>(y[at]);
              if (pass == 0) total += g;
              if (pass == 1) mx += g / total * a, my += g / total * b;
              if (pass == 2) {
                vx += g / total * (a - mx) * (a - mx);
                vy += g / total * (b - my) * (b - my);
                vxy += g / total * (a - mx) * (b - my);
              }
            }
        const double c1_2 = 0.02 * 0.02, c2_2 = 0.06 * 0.06;
        expected += (2 * mx * my + c1_2) * (2 * vxy + c2_2) / ((mx * mx + my * my + c1_2) * (vx + vy + c2_2));
      }
  CHECK(ul::ssim(x, y, {13, 12, 2}) == Approx(expected / (3 * 2 * 2)).epsilon(1e-10));
}

TEST_CASE("misuse of SSIM") {
  const std::vector<float> x(121), y(120);
  CHECK_THROWS_WITH(ul::ssim(x, x, {11, 11}), "ssim: the shape is (11, 11), expected (H, W, C)");
  CHECK_THROWS_WITH(ul::ssim(x, x, {121, 1, 1}),
                    "ssim: the shape is (121, 1, 1), expected at least 11 positions to a side and a channel");
  CHECK_THROWS_WITH(ul::ssim(x, y, {11, 11, 1}), "ssim: x has 121 values, y has 120, expected 121 for (11, 11, 1)");
  CHECK_THROWS_WITH(ul::ssim(x, x, {11, 11, 1}, {.range = 0}),
                    "ssim: range is 0, deviation 1.5, radius 5, expected above 0, above 0 and at least 0");
}
