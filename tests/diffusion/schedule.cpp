#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include <ul/diffusion/beta_schedule.hpp>
#include <ul/diffusion/beta_table.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/edm_schedule.hpp>
#include <ul/diffusion/flow_schedule.hpp>
#include <ul/diffusion/interpolated_schedule.hpp>
#include <ul/diffusion/karras_schedule.hpp>
#include <ul/diffusion/learned_schedule.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/tabulated_schedule.hpp>

#include "lanes.hpp"

namespace {

// Runs f on every schedule, with and without a shift where one has it.
template <class F>
void each_schedule(F f) {
  const double shift = ul::resolution_shift({.noise = 32, .image = 128});
  f("linear", ul::linear_schedule{.logsnr_max = 5, .logsnr_min = -10});
  f("cosine", ul::cosine_schedule{.logsnr_max = 10, .logsnr_min = -10});
  f("cosine, wide", ul::cosine_schedule{.logsnr_max = 20, .logsnr_min = -20});
  f("cosine, shifted", ul::cosine_schedule{.logsnr_max = 10, .logsnr_min = -10, .shift = shift});
  f("trigonometric", ul::trigonometric_schedule{.logsnr_max = 13, .logsnr_min = -9});
  f("interpolated", ul::interpolated_schedule{.shift_high = -1, .shift_low = shift});
  f("flow", ul::flow_schedule{});
  f("flow, shifted", ul::flow_schedule{.logsnr_max = 12, .logsnr_min = -12, .shift = ul::flow_shift(3)});
  f("karras", ul::karras_schedule{});
  f("edm", ul::edm_schedule{});
  f("linear beta", ul::linear_beta_schedule{});
  f("constant beta", ul::linear_beta_schedule{.beta_min = 5, .beta_max = 5, .time_min = 1e-3});
  f("scaled linear beta", ul::scaled_linear_beta_schedule{});
  ul::learned_schedule learned;
  for (std::size_t i = 2; i < learned.parameters.size(); ++i) learned.parameters[i] += 0.3 * std::sin(7.0 * double(i));
  f("learned", learned);
}

template <class F>
void each_schedule_and_table(F f) {
  each_schedule(f);
  f("tabulated", ul::tabulated_schedule{.levels = {9, 4, 3.5, 0, -2, -11}});
  f("table of betas", ul::linear_beta_table(50).schedule());
}

struct backwards {
  template <class V>
  V logsnr(V t) const {
    return t * (t - 1);
  }
  template <class V>
  V dlogsnr(V t) const {
    return 2 * t - 1;
  }
  template <class V>
  V time(V logsnr) const {
    return logsnr;
  }
};

}  // namespace

TEST_CASE("every schedule falls") {
  each_schedule_and_table([](const std::string& name, const auto& s) {
    INFO(name);
    static_assert(ul::schedule<std::remove_cvref_t<decltype(s)>>);
    CHECK_NOTHROW(ul::check_monotone(name.c_str(), s, 10007));
  });
}

TEST_CASE("dlogsnr is the derivative of logsnr") {
  each_schedule_and_table([](const std::string& name, const auto& s) {
    INFO(name);
    for (int i = 1; i < 64; ++i) {
      const double t = i / 64.0 + 0.001, h = 1e-5 * std::fmin(t, 1 - t);
      // Five points, so that the formula's own error stays below its rounding.
      const double slope =
          (8 * (s.logsnr(t + h) - s.logsnr(t - h)) - (s.logsnr(t + 2 * h) - s.logsnr(t - 2 * h))) / (12 * h);
      CAPTURE(t);
      CHECK(s.dlogsnr(t) == doctest::Approx(slope).epsilon(1e-7));
    }
  });
}

TEST_CASE("time inverts logsnr") {
  each_schedule_and_table([](const std::string& name, const auto& s) {
    INFO(name);
    for (int i = 0; i <= 100; ++i) {
      const double t = i / 100.0;
      CAPTURE(t);
      CHECK(std::abs(s.time(s.logsnr(t)) - t) < 2e-15);
    }
  });
}

TEST_CASE("end points are exact, in double and in float") {
  const double shift = ul::resolution_shift({.noise = 32, .image = 512});
  const auto check_ends = [](const auto& s, double first, double last) {
    CHECK(s.logsnr(0.0) == first);
    CHECK(s.logsnr(1.0) == last);
    CHECK(s.logsnr(0.0f) == static_cast<float>(first));
    CHECK(s.logsnr(1.0f) == static_cast<float>(last));
    CHECK(s.logsnr(1e-9) == doctest::Approx(first).epsilon(1e-3));
    CHECK(s.logsnr(1 - 1e-9) == doctest::Approx(last).epsilon(1e-3));
  };
  check_ends(ul::linear_schedule{.logsnr_max = 5, .logsnr_min = -10}, 5, -10);
  check_ends(ul::cosine_schedule{.logsnr_max = 10, .logsnr_min = -10, .shift = shift}, 10, -10);
  check_ends(ul::cosine_schedule{.logsnr_max = 5, .logsnr_min = -10, .shift = 1.25}, 5, -10);
  check_ends(ul::interpolated_schedule{.shift_high = shift, .shift_low = -1}, 10, -10);
  check_ends(ul::flow_schedule{.logsnr_max = 7, .logsnr_min = -8, .shift = 3}, 7, -8);
  check_ends(ul::learned_schedule{.parameters = ul::learned_schedule::initial(5, -10, 4)}, 5, -10);
  check_ends(ul::karras_schedule{}, -2 * std::log(0.002), -2 * std::log(80.0));
}

TEST_CASE("float and packs agree with double") {
  each_schedule([](const std::string& name, const auto& s) {
    INFO(name);
    const double span = s.logsnr(0.0) - s.logsnr(1.0);
    for (int i = 0; i <= 256; ++i) {
      const float t = static_cast<float>(i) / 256;
      CAPTURE(t);
      const auto logsnr = [&s](auto x) { return s.logsnr(x); };
      const auto dlogsnr = [&s](auto x) { return s.dlogsnr(x); };
      const auto time = [&s](auto x) { return s.time(x); };
      const double exact = s.logsnr(static_cast<double>(t)), slope = s.dlogsnr(static_cast<double>(t));
      CHECK(std::abs(s.logsnr(t) - exact) < 2e-6 * span);
      CHECK(s.dlogsnr(t) == doctest::Approx(slope).epsilon(2e-5));
      CHECK(std::abs(lanes::through(logsnr, t) - s.logsnr(t)) < 2e-6 * span);
      CHECK(lanes::through(dlogsnr, t) == doctest::Approx(s.dlogsnr(t)).epsilon(1e-6));
      CHECK(std::abs(lanes::through(time, s.logsnr(t)) - s.time(s.logsnr(t))) < 1e-6f);
      CHECK(std::abs(lanes::through(logsnr, double(t)) - exact) < 1e-13 * span);
    }
  });
}

TEST_CASE("published cosine figures and resolution shifts") {
  // cosine_logsnr_shift of the test vectors: -2 log tan(pi t / 2), the limit of wide end points.
  const ul::cosine_schedule cosine{.logsnr_max = 60, .logsnr_min = -60};
  CHECK(cosine.logsnr(0.25) == doctest::Approx(1.762747174039086).epsilon(1e-12));
  CHECK(std::abs(cosine.logsnr(0.5)) < 1e-12);
  CHECK(ul::resolution_shift({.noise = 64, .image = 512}) == doctest::Approx(-4.1588830833596715).epsilon(1e-15));
  CHECK(ul::resolution_shift({.noise = 64, .image = 256}) == doctest::Approx(-2.772588722239781).epsilon(1e-15));

  // With wide ends the shift moves the whole curve.
  const ul::cosine_schedule shifted{.logsnr_max = 60, .logsnr_min = -60, .shift = -2};
  for (double t = 0.1; t < 0.95; t += 0.1)
    CHECK(shifted.logsnr(t) - cosine.logsnr(t) == doctest::Approx(-2).epsilon(1e-9));
}

TEST_CASE("the flow schedule is the straight line") {
  const ul::flow_schedule wide{.logsnr_max = 60, .logsnr_min = -60},
      shifted{.logsnr_max = 60, .logsnr_min = -60, .shift = ul::flow_shift(3)};
  for (double t = 0.05; t < 1; t += 0.05) {
    CHECK(ul::flow_time(wide.logsnr(t)) == doctest::Approx(t).epsilon(1e-11));
    CHECK(ul::flow_time(shifted.logsnr(t)) == doctest::Approx(3 * t / (1 + 2 * t)).epsilon(1e-11));
  }
}

TEST_CASE("the EDM schedule has the log-normal density") {
  // Over log sigma the density of levels is dt / d log sigma = -2 / dlogsnr, a cut-off normal.
  const ul::edm_schedule s;
  const auto density = [&](double t) { return -2 / s.dlogsnr(t); };
  for (double t = 0.1; t < 0.95; t += 0.2) {
    const double z = (-s.logsnr(t) / 2 - s.mean) / s.deviation, z0 = (-s.logsnr(0.5) / 2 - s.mean) / s.deviation;
    CHECK(density(t) / density(0.5) == doctest::Approx(std::exp((z0 * z0 - z * z) / 2)).epsilon(1e-12));
  }
}

TEST_CASE("discrete betas tend to the continuous ones, with an error of 1 / steps") {
  const auto worst = [](const ul::beta_table& table, const auto& s) {
    double most = 0;
    for (ul::extent i = table.size() / 10; i < table.size(); ++i)
      most = std::fmax(most, std::abs(s.time(table.logsnr(i)) - double(i + 1) / double(table.size())));
    return most;
  };
  const ul::linear_beta_schedule linear;
  const double coarse = worst(ul::linear_beta_table(1000, 1e-4, 0.02), linear);
  CHECK(coarse < 0.004);
  CHECK(coarse / worst(ul::linear_beta_table(10000, 1e-5, 0.002), linear) == doctest::Approx(10).epsilon(0.02));
  const ul::scaled_linear_beta_schedule scaled;
  const double coarse_scaled = worst(ul::scaled_linear_beta_table(1000, 0.00085, 0.012), scaled);
  CHECK(coarse_scaled < 0.004);
  CHECK(coarse_scaled / worst(ul::scaled_linear_beta_table(10000, 0.000085, 0.0012), scaled) ==
        doctest::Approx(10).epsilon(0.02));
}

TEST_CASE("beta tables: rounding modes, cosine cap, zero terminal SNR") {
  const auto exact = ul::linear_beta_table(1000);
  const auto rounded = ul::linear_beta_table(1000, 1e-4, 0.02, ul::table_precision::float32);
  CHECK(exact.betas.front() == 1e-4);
  CHECK(exact.betas.back() == 0.02);
  CHECK(rounded.betas.front() == static_cast<double>(1e-4f));
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(rounded.alpha_bar[i] == static_cast<double>(static_cast<float>(rounded.alpha_bar[i])));
    CHECK(rounded.alpha_bar[i] == doctest::Approx(exact.alpha_bar[i]).epsilon(1e-4));
  }
  const auto cosine = ul::cosine_beta_table(1000);
  CHECK(cosine.betas.back() == 0.999);
  CHECK(cosine.betas.front() < 1e-4);

  const auto zero = ul::with_zero_terminal_snr(exact);
  CHECK(zero.alpha_bar.back() == 0);
  CHECK(zero.logsnr(999) == -std::numeric_limits<double>::infinity());
  CHECK(zero.alpha_bar.front() == doctest::Approx(exact.alpha_bar.front()).epsilon(1e-14));
  CHECK(zero.betas.back() == 1);
}

TEST_CASE("the learned schedule's gradient") {
  ul::learned_schedule s{.parameters = ul::learned_schedule::initial(9, -11, 3)};
  for (std::size_t i = 0; i < s.parameters.size(); ++i) s.parameters[i] += 0.2 * std::cos(3.0 * double(i));
  // A loss through both the level and the slope, at several times.
  const auto loss = [](const ul::learned_schedule& l) {
    double sum = 0;
    for (const double t : {0.0, 0.13, 0.5, 0.77, 1.0}) sum += std::sin(l.logsnr(t)) - 0.1 * l.dlogsnr(t) * l.logsnr(t);
    return sum;
  };
  std::vector<double> gradient(s.parameters.size(), 0.0);
  for (const double t : {0.0, 0.13, 0.5, 0.77, 1.0})
    s.add_gradient(t, std::cos(s.logsnr(t)) - 0.1 * s.dlogsnr(t), -0.1 * s.logsnr(t), gradient);
  for (std::size_t i = 0; i < s.parameters.size(); ++i) {
    ul::learned_schedule up = s, down = s;
    const double h = 1e-5;
    up.parameters[i] += h;
    down.parameters[i] -= h;
    CAPTURE(i);
    CHECK(gradient[i] == doctest::Approx((loss(up) - loss(down)) / (2 * h)).epsilon(1e-6).scale(1));
  }
  std::vector<double> wrong(2);
  CHECK_THROWS_WITH(s.add_gradient(0.5, 1, 1, wrong), "learned_schedule: the gradient has 2 elements, the schedule 12");
}

TEST_CASE("bad schedules and times are refused") {
  const ul::cosine_schedule inverted{.logsnr_max = -10, .logsnr_min = 10};
  CHECK_THROWS_WITH(inverted.logsnr(0.5), "cosine_schedule: logsnr_max is -10, expected above logsnr_min, which is 10");
  CHECK_THROWS_WITH(inverted.dlogsnr(0.5),
                    "cosine_schedule: logsnr_max is -10, expected above logsnr_min, which is 10");
  CHECK_THROWS_WITH(inverted.time(0.5), "cosine_schedule: logsnr_max is -10, expected above logsnr_min, which is 10");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  each_schedule_and_table([nan](const std::string& name, const auto& s) {
    INFO(name);
    for (const double t : {-1e-9, 1.5, nan}) {
      CHECK_THROWS_AS(s.logsnr(t), ul::error);
      CHECK_THROWS_AS(s.dlogsnr(t), ul::error);
    }
  });
  CHECK_THROWS_WITH(ul::linear_schedule{}.logsnr(1.5), "linear_schedule: t is 1.5, expected 0 <= t <= 1");
  CHECK_THROWS_WITH((ul::linear_schedule{.logsnr_max = 1, .logsnr_min = 1}.logsnr(0.5)),
                    "linear_schedule: logsnr_max is 1, expected above logsnr_min, which is 1");
  CHECK_THROWS_WITH((ul::flow_schedule{.logsnr_max = 1, .logsnr_min = 2}.logsnr(0.5)),
                    "flow_schedule: logsnr_max is 1, expected above logsnr_min, which is 2");
  CHECK_THROWS_WITH((ul::karras_schedule{.sigma_min = 90}.logsnr(0.5)),
                    "karras_schedule: sigma_min is 90, expected above 0 and below sigma_max, which is 80");
  CHECK_THROWS_WITH((ul::edm_schedule{.deviation = 0}.logsnr(0.5)),
                    "edm_schedule: deviation is 0, expected a positive one");
  CHECK_THROWS_WITH((ul::linear_beta_schedule{.beta_min = 0}.logsnr(0.5)),
                    "linear_beta_schedule: beta_min is 0, expected above 0 and at most beta_max, 20");
  CHECK_THROWS_WITH((ul::tabulated_schedule{.levels = {3}}.logsnr(0.5)),
                    "tabulated_schedule: 1 levels, expected at least 2");
  CHECK_THROWS_WITH((ul::tabulated_schedule{.levels = {3, 4}}.logsnr(0.5)),
                    "tabulated_schedule: level 1 is 4, expected below level 0, 3");
  CHECK_THROWS_WITH(ul::resolution_shift({.noise = 0, .image = 64}),
                    "resolution_shift: noise is 0 and image is 64, expected both positive");
  CHECK_THROWS_WITH(ul::flow_shift(0), "flow_shift: factor is 0, expected a positive one");
  CHECK_THROWS_WITH(ul::check_monotone("mine", backwards{}, 4),
                    "mine: log-SNR is -0.1875 at t = 0.75, expected below -0.25, its value one step before");
  CHECK_THROWS_WITH(ul::linear_beta_table(1), "linear_beta_table: 1 steps, expected at least 2");
  CHECK_THROWS_WITH(ul::linear_beta_table(10, 0.1, 1.5),
                    "beta_table: a beta is 1.0333333333333332, expected between 0 and 1");
}
