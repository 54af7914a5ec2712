// What a caller can do with samplers: states of any type, observers, stopping, resuming, networks of any prediction,
// grids; and what they refuse.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/flow_schedule.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_ddim.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_tcd.hpp>
#include <ul/diffusion/state_geometry.hpp>

#include "sampler_support.hpp"

namespace mine {

// A state of a user's own: all it brings is `combine`.
struct point {
  float x = 0, y = 0;
};
template <class... Rest>
point combine(double a, const point& p, const Rest&... rest) {
  const point scaled{static_cast<float>(a * double(p.x)), static_cast<float>(a * double(p.y))};
  if constexpr (sizeof...(rest) == 0) {
    return scaled;
  } else {
    const point others = combine(rest...);
    return {scaled.x + others.x, scaled.y + others.y};
  }
}

}  // namespace mine

namespace {

using many = std::vector<double>;
using test::data;
using test::each_sampler;
using test::grid;

}  // namespace

TEST_CASE("states: numbers, vectors, floats and a user's type agree") {
  const auto on_vector = [](const many& x, double l) { return many{data(x[0], l), data(x[1], l)}; };
  const auto on_float = [](const std::vector<float>& x, double l) {
    return std::vector<float>{static_cast<float>(data(double(x[0]), l)), static_cast<float>(data(double(x[1]), l))};
  };
  const auto on_point = [](const mine::point& p, double l) {
    return mine::point{static_cast<float>(data(double(p.x), l)), static_cast<float>(data(double(p.y), l))};
  };
  const ul::no_observer watch;
  each_sampler([&](const std::string& name, int, auto sampler) {
    INFO(name);
    const double a = sampler(data, 0.3, grid, 0, watch), b = sampler(data, -1.2, grid, 0, watch);
    const many x = sampler(on_vector, many{0.3, -1.2}, grid, 0, watch);
    CHECK(x[0] == doctest::Approx(a).epsilon(1e-13));
    CHECK(x[1] == doctest::Approx(b).epsilon(1e-13));
    const std::vector<float> y = sampler(on_float, std::vector<float>{0.3f, -1.2f}, grid, 0, watch);
    CHECK(double(y[0]) == doctest::Approx(a).epsilon(2e-5).scale(1));
    CHECK(double(y[1]) == doctest::Approx(b).epsilon(2e-5).scale(1));
  });
  const mine::point p = ul::sample_dpmpp_3m(on_point, mine::point{0.3f, -1.2f}, grid);
  CHECK(double(p.x) == doctest::Approx(ul::sample_dpmpp_3m(data, 0.3, grid)).epsilon(1e-5));
  CHECK(double(p.y) == doctest::Approx(ul::sample_dpmpp_3m(data, -1.2, grid)).epsilon(1e-5));
}

TEST_CASE("an observer sees every step, and stopping and resuming lose nothing") {
  each_sampler([&](const std::string& name, int multistep, auto sampler) {
    INFO(name);
    ul::extent seen = 0;
    const double whole = sampler(data, 0.3, grid, 0, [&](const ul::sampler_step<double>& step) {
      CHECK(step.index == seen);
      CHECK(step.steps == 12);
      const bool backwards = name == "invert";
      CHECK(step.to == (backwards ? grid[11 - seen] : grid[seen + 1]));
      CHECK(std::isfinite(step.denoised));
      CHECK(std::isfinite(step.state));
      ++seen;
    });
    CHECK(seen == 12);

    ul::extent made = 0;
    const double half = sampler(data, 0.3, grid, 0, [&](const auto& step) {
      made = step.index + 1;
      return step.index == 5 ? ul::progress::stop : ul::progress::proceed;
    });
    CHECK(made == 6);
    const double resumed = sampler(data, half, grid, 6, ul::no_observer{});
    // One-step methods resume exactly; multistep ones begin again with an empty history.
    if (multistep)
      CHECK(resumed == doctest::Approx(whole).epsilon(0.02));
    else
      CHECK(resumed == doctest::Approx(whole).epsilon(1e-14));
  });
}

TEST_CASE("an observer's edit of the state is what goes on") {
  each_sampler([&](const std::string& name, int, auto sampler) {
    INFO(name);
    const auto edit = [](double by) {
      return [by](const auto& step) {
        if (step.index == 10) step.state += by;
      };
    };
    const double plain = sampler(data, 0.3, grid, 0, edit(0)), moved = sampler(data, 0.3, grid, 0, edit(0.1));
    if (name == "consistency") return;  // keeps x^ only, to which the edit passes through the denoiser
    CHECK(moved - plain > 0.02);
    CHECK(moved - plain < 0.15);
  });
}

TEST_CASE("samplers end at the last level, clean or noisy, and pass equal levels") {
  each_sampler([&](const std::string& name, int, auto sampler) {
    INFO(name);
    if (name == "invert") return;
    // A step to clean data returns the denoiser's answer at the level before.
    double last = 0;
    const auto watched = [&](double x, double l) { return last = data(x, l); };
    const double end = sampler(watched, 0.3, grid.then(ul::logsnr_of_clean), 0, ul::no_observer{});
    // (but these extrapolate eps^ into the last step too, and the SDE's default is its mean step).
    const bool own_end = name == "lms" || name == "pndm" || name == "flow sde";
    CHECK(end == doctest::Approx(last).epsilon(own_end ? 0.01 : 1e-12));
    // Repeated levels change nothing and give no NaN.
    const double repeated = sampler(data, 0.3, ul::logsnr_grid{-6, -2, -2, 1, 5, 5}, 0, ul::no_observer{});
    CHECK(std::isfinite(repeated));
  });
  const double once = ul::sample_ddim(data, 0.3, ul::logsnr_grid{-6, -2, 1, 5});
  CHECK(ul::sample_ddim(data, 0.3, ul::logsnr_grid{-6, -2, -2, 1, 5, 5}) == doctest::Approx(once).epsilon(1e-14));

  // Begun from pure noise: the state at -infinity is eps itself.
  const auto from_noise = [](double x, double l) { return std::isinf(l) ? data.mean : data(x, l); };
  const ul::logsnr_grid pure{ul::logsnr_of_noise, -6, 0, 5};
  CHECK(ul::sample_ddim(from_noise, 0.3, pure) ==
        doctest::Approx(ul::sample_dpmpp_2m(from_noise, 0.3, pure)).epsilon(0.2));
  CHECK(std::isfinite(ul::sample_ancestral(from_noise, 0.3, pure, [](ul::extent) { return 0.5; })));
}

TEST_CASE("DDIM inversion undoes DDIM to first order") {
  const auto round_trip = [](ul::extent steps) {
    const auto g = ul::uniform_logsnr_grid(-6, 5, steps);
    return std::abs(ul::invert_ddim(data, ul::sample_ddim(data, 0.3, g), g) - 0.3);
  };
  CHECK(round_trip(200) < 0.02);
  CHECK(round_trip(200) / round_trip(400) == doctest::Approx(2).epsilon(0.05));
}

TEST_CASE("denoisers of other predictions") {
  const auto check_prediction = [](const auto& p) {
    // A network that answers F for the exact x^, seeing only its scaled input.
    const auto network = [&](double input, double l) {
      const double x_t = input / p.input(l), x = data(x_t, l), eps = (x_t - ul::alpha(l) * x) / ul::sigma(l);
      return p.target(l).x * x + p.target(l).eps * eps;
    };
    const auto d = ul::denoiser_of(p, network);
    CHECK(ul::sample_dpmpp_2m(d, 0.3, grid) == doctest::Approx(ul::sample_dpmpp_2m(data, 0.3, grid)).epsilon(1e-12));
  };
  check_prediction(ul::x_prediction{});
  check_prediction(ul::eps_prediction{});
  check_prediction(ul::v_prediction{});
  check_prediction(ul::flow_prediction{});
  check_prediction(ul::score_prediction{});
  check_prediction(ul::edm_prediction{});
}

TEST_CASE("grids") {
  const auto check_levels = [](const ul::logsnr_grid& g, const many& expected) {
    REQUIRE(g.steps() + 1 == static_cast<ul::extent>(expected.size()));
    for (ul::extent i = 0; i <= g.steps(); ++i)
      CHECK(g[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-13));
  };
  check_levels(ul::uniform_logsnr_grid(-10, 5, 3), {-10, -5, 0, 5});
  const ul::cosine_schedule cosine;
  check_levels(ul::uniform_time_grid(cosine, 2), {-10, cosine.logsnr(0.5), 10});
  CHECK(ul::uniform_time_grid(cosine, 2)[0] == -10);
  CHECK(ul::karras_grid(5)[5] == ul::logsnr_from_edm_sigma(0.002));
  const auto exponential = ul::exponential_grid(2, 0.1, 10);
  CHECK(ul::edm_sigma(exponential[1]) == doctest::Approx(1));
  const auto flow = ul::flow_grid(4);
  CHECK(flow[0] == ul::logsnr_of_noise);
  CHECK(flow[4] == ul::logsnr_of_clean);
  CHECK(ul::flow_time(flow[1]) == doctest::Approx(0.75));
  const auto shifted = flow.shifted(ul::flow_shift(3));
  CHECK(ul::flow_time(shifted[1]) == doctest::Approx(3 * 0.75 / (1 + 2 * 0.75)));
  CHECK(shifted[4] == ul::logsnr_of_clean);
}

TEST_CASE("bad grids, options and states are refused") {
  CHECK_THROWS_WITH(ul::logsnr_grid{1.0}, "logsnr_grid: 1 levels, expected at least 2");
  CHECK_THROWS_WITH((ul::logsnr_grid{5, -5}),
                    "logsnr_grid: level 1 is -5, expected at least level 0, 5: grids run from noise to data");
  CHECK_THROWS_AS((ul::logsnr_grid{0, std::nan("")}), ul::error);
  CHECK_THROWS_WITH(ul::uniform_logsnr_grid(-5, 5, 0), "uniform_logsnr_grid: 0 steps, expected at least 1");
  CHECK_THROWS_WITH(ul::uniform_logsnr_grid(5, -5, 1),
                    "logsnr_grid: level 1 is -5, expected at least level 0, 5: grids run from noise to data");
  CHECK_THROWS_WITH(ul::karras_grid(4, {.sigma_min = 0}),
                    "karras_grid: sigma_min is 0, expected above 0 and below sigma_max, 80");
  each_sampler([&](const std::string& name, int, auto sampler) {
    INFO(name);
    CHECK_THROWS_AS(sampler(data, 0.3, grid, 12, ul::no_observer{}), ul::error);
    CHECK_THROWS_AS(sampler(data, 0.3, grid, -1, ul::no_observer{}), ul::error);
  });
  CHECK_THROWS_WITH(ul::sample_ddim(data, 0.3, grid, {.first = 12}),
                    "sample_ddim: first step is 12, expected 0 to 11 on this grid");
  CHECK_THROWS_WITH(ul::sample_ddim(data, 0.3, grid, {.eta = 0.5}), "sample_ddim: these options need a noise source");
  CHECK_THROWS_WITH(ul::sample_ddim(data, 0.3, grid, {.eta = 2}), "sample_ddim: eta is 2, expected 0 to 1");
  CHECK_THROWS_WITH(ul::sample_heun(data, 0.3, grid, {.churn = {.amount = 3}}),
                    "sample_heun: these options need a noise source");
  CHECK_THROWS_WITH(ul::sample_dpmpp_2s(data, 0.3, grid, {.middle = 0}),
                    "sample_dpmpp_2s: middle is 0, expected above 0 and at most 1");
  CHECK_THROWS_WITH(ul::sample_ancestral(data, 0.3, grid, [](ul::extent) { return 0.0; }, {.interpolation = 1.5}),
                    "sample_ancestral: interpolation is 1.5, expected 0 to 1");
  CHECK_THROWS_WITH(ul::combine(1, many{1, 2}, 1, many{1, 2, 3}), "combine: states have 2 and 3 elements");
  CHECK_THROWS_WITH(ul::inner(many{1, 2}, many{1}), "inner: states have 2 and 1 elements");
  CHECK_THROWS_WITH(ul::blended(many{1}, many{1, 2}, many{1, 2}), "blended: states have 1 and 2 elements");
  CHECK_THROWS_WITH(ul::sample_tcd(data, 0.3, grid, [](ul::extent) { return 0.0; }, {.inner = {1, 2}}),
                    "sample_tcd: 2 inner levels for 12 steps");
}
