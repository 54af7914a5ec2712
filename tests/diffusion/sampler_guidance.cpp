// Guidance, clipping and dynamic thresholding of denoisers.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/diffusion/guidance.hpp>
#include <ul/diffusion/sample_ddim.hpp>
#include <ul/diffusion/state_geometry.hpp>
#include <ul/diffusion/thresholding.hpp>

#include "sampler_support.hpp"

namespace {

using many = std::vector<double>;
using test::grid;

}  // namespace

TEST_CASE("guidance") {
  const gaussian wide{0, 1}, narrow{1, 0.5};
  const double l = 0.7, x = 0.2, c = narrow(x, l), u = wide(x, l);
  const auto guided = [&](const ul::guidance_options& o) { return ul::guided(narrow, wide, o)(x, l); };
  CHECK(guided({.scale = 1}) == doctest::Approx(c));
  CHECK(guided({.scale = 0}) == doctest::Approx(u));
  CHECK(guided({.scale = 3}) == doctest::Approx(u + 3 * (c - u)));
  CHECK(guided({.scale = 3, .logsnr_min = 1}) == c);
  CHECK(guided({.scale = 3, .logsnr_max = 0.5}) == c);
  CHECK(guided({.scale = 3, .logsnr_min = 0, .logsnr_max = 1}) == doctest::Approx(u + 3 * (c - u)));

  // Outside the interval the other network is not called.
  const auto never = [](double, double) -> double { throw ul::error("called"); };
  CHECK(ul::guided(narrow, never, {.scale = 3, .logsnr_max = 0})(x, l) == c);

  // On vectors: rescaling brings the deviation back, projection removes the part along c, CFG-Zero* fits u to c.
  const many cv{1, 2, -1, 0.5}, uv{0.2, 1, 0.3, 0.1};
  const auto fixed = [](const many& v) { return [v](const many&, double) { return v; }; };
  const auto rescaled = ul::guided(fixed(cv), fixed(uv), {.scale = 4, .rescale = 1})(cv, 0);
  CHECK(ul::deviation(rescaled) == doctest::Approx(ul::deviation(cv)));
  const auto apg = ul::guided_projected(fixed(cv), fixed(uv), {.guidance = {.scale = 4}})(cv, 0);
  CHECK(ul::inner(apg, cv) == doctest::Approx(ul::inner(cv, cv)));  // what is added is orthogonal to c
  const auto plain = ul::guided(fixed(cv), fixed(uv), {.scale = 4})(cv, 0);
  const auto all = ul::guided_projected(fixed(cv), fixed(uv), {.guidance = {.scale = 4}, .parallel = 1})(cv, 0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(all[i] == doctest::Approx(plain[i]));
  const auto capped =
      ul::guided_projected(fixed(cv), fixed(uv), {.guidance = {.scale = 2}, .parallel = 1, .length = 0.1})(cv, 0);
  CHECK(std::sqrt(ul::inner(ul::combine(1, capped, -1, cv), ul::combine(1, capped, -1, cv))) == doctest::Approx(0.1));
  const many twice = ul::combine(2.5, cv);
  const auto zero = ul::guided_cfg_zero(fixed(cv), fixed(twice), {.scale = 7})(cv, 0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(zero[i] == doctest::Approx(cv[i]));  // a multiple of c guides nowhere

  // They compose with each other, with thresholding and with samplers.
  const auto stacked = ul::clipped(ul::guided(ul::guided(narrow, wide, {.scale = 2}), wide, {.scale = 1.5}), -0.8, 0.8);
  const double inner_guided = u + 2 * (c - u), outer = u + 1.5 * (inner_guided - u);
  CHECK(stacked(x, l).x == doctest::Approx(std::fmin(std::fmax(outer, -0.8), 0.8)));
  CHECK(ul::sample_ddim(stacked, 0.3, grid.then(ul::logsnr_of_clean)) <= 0.8);

  CHECK_THROWS_WITH(ul::guided(narrow, wide, {.scale = std::nan("")}), "guided: scale is nan, expected a finite one");
  CHECK_THROWS_WITH(ul::guided(narrow, wide, {.rescale = 2}), "guided: rescale is 2, expected 0 to 1");
  CHECK_THROWS_WITH(ul::guided(narrow, wide, {.logsnr_min = 2, .logsnr_max = 1}),
                    "guided: logsnr_min is 2, expected at most logsnr_max, 1");
}

TEST_CASE("guiding by a Gaussian in closed form") {
  // u the prior N(0, 1), c the posterior: guided at scale w, the score is (1 - w) u + w c, whose sampler ends at the
  // Gaussian of precision (1 - w) 1 + w / 0.25 only for the ODE's own level-wise product; x^ itself is checked.
  const gaussian wide{0, 1}, narrow{0, 0.5};
  for (const double l : {-3.0, 0.0, 4.0}) {
    const double a = ul::alpha(l), w = 2, x = 0.9;
    const double score_c = -x / narrow.variance(l), score_u = -x;
    const double score = (1 - w) * score_u + w * score_c;
    const double denoised = (x + ul::sigma_squared(l) * score) / a;  // Tweedie
    CHECK(ul::guided(narrow, wide, {.scale = w})(x, l) == doctest::Approx(denoised).epsilon(1e-12));
  }
}

TEST_CASE("clipping and dynamic thresholding") {
  const auto fixed = [](const many&, double) { return many{0.5, -3, 2, 0.1, -0.2}; };
  const many x_t{1, 1, 1, 1, 1};
  const double l = 1;
  const auto kept = ul::clipped(fixed)(x_t, l);
  CHECK(kept.x == many{0.5, -1, 1, 0.1, -0.2});
  CHECK(kept.eps[1] == doctest::Approx((1 + 3 * ul::alpha(l)) / ul::sigma(l)));
  const auto recomputed = ul::clipped(fixed, -1, 1, ul::eps_after_clipping::recomputed)(x_t, l);
  CHECK(recomputed.eps[1] == doctest::Approx((1 + ul::alpha(l)) / ul::sigma(l)));
  // Magnitudes 0.1, 0.2, 0.5, 2, 3: the 0.75 quantile is 2.
  const auto dynamic = ul::dynamically_thresholded(fixed, 0.75)(x_t, l);
  const many expected{0.25, -1, 1, 0.05, -0.1};
  for (std::size_t i = 0; i < 5; ++i) CHECK(dynamic.x[i] == doctest::Approx(expected[i]));
  CHECK(ul::magnitude_quantile(many{0, -4}, 0.25) == doctest::Approx(1));
  CHECK_THROWS_WITH(ul::clipped(fixed, 1, 1), "clipped: low is 1, expected below high, 1");
  CHECK_THROWS_WITH(ul::magnitude_quantile(x_t, 1.5), "magnitude_quantile: q is 1.5, expected 0 to 1");
}
