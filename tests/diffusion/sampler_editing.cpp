// Samplers that begin with or keep a part of given data: image-to-image and inpainting.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/core/normal.hpp>
#include <ul/diffusion/image_to_image.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_repaint.hpp>

#include "sampler_support.hpp"

namespace {

using many = std::vector<double>;
using test::data;
using test::grid;

}  // namespace

TEST_CASE("image to image") {
  const auto start = ul::image_to_image_start(0.8, -0.5, grid, 0.5);
  CHECK(start.first == 6);
  CHECK(start.state == doctest::Approx(ul::alpha(grid[6]) * 0.8 - ul::sigma(grid[6]) * 0.5));
  CHECK(ul::image_to_image_start(0.8, -0.5, grid, 1).first == 0);
  CHECK(ul::image_to_image_start(0.8, -0.5, grid, 0.001).first == 11);
  CHECK(std::isfinite(ul::sample_dpmpp_2m(data, start.state, grid, {.first = start.first})));
  CHECK_THROWS_WITH(ul::image_to_image_start(0.8, -0.5, grid, 0),
                    "image_to_image_start: strength is 0, expected above 0 and at most 1");
}

TEST_CASE("inpainting keeps the known part and follows its correlation with the rest") {
  // Two dimensions of correlation 0.9: given the first is 1, the second is N(0.9, 0.19).
  const auto denoiser = [](const many& x, double l) {
    const double a = ul::alpha(l), k = a * a, n = ul::sigma_squared(l), d = (k + n) * (k + n) - 0.81 * k * k;
    const double u = ((k + n) * x[0] - 0.9 * k * x[1]) / d, v = ((k + n) * x[1] - 0.9 * k * x[0]) / d;
    return many{a * (u + 0.9 * v), a * (0.9 * u + v)};
  };
  const many mask{1, 0}, known{1, 0};
  const auto path = ul::uniform_logsnr_grid(-10, 7, 30).then(ul::logsnr_of_clean);
  const auto mean_of = [&](auto sampler) {
    double mean = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
      const auto noise = [k = ul::key(i)](ul::extent draw) {
        const auto at = static_cast<std::uint64_t>(2 * (draw + 1));
        return many{ul::normal_at<double>(k, at), ul::normal_at<double>(k, at + 1)};
      };
      const many x = sampler(noise);
      REQUIRE(x[0] == 1);
      mean += x[1] / 400;
    }
    return mean;
  };
  const double replaced = mean_of([&](auto noise) {
    const auto other = [noise](ul::extent draw) { return noise(draw + 1000); };
    return ul::sample_ancestral(denoiser, noise(-1), path, noise, {}, ul::keep_known(mask, known, other));
  });
  const double repainted = mean_of(
      [&](auto noise) { return ul::sample_repaint(denoiser, noise(-1), mask, known, path, noise, {.resamples = 5}); });
  CHECK(replaced > 0.5);
  CHECK(std::abs(repainted - 0.9) < 0.09);  // 4 standard errors of a mean over 400 draws
}
