// ODE solvers and likelihoods against closed forms and the published cases of tests/data/diffusion.json.

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include <ul/core/uniform.hpp>
#include <ul/diffusion/likelihood.hpp>
#include <ul/diffusion/sample_mean.hpp>

namespace {

using many = std::vector<double>;

nlohmann::json published(const char* id) {
  std::ifstream file(UL_SOURCE_DIR "/tests/data/diffusion.json");
  REQUIRE(file);
  const auto data = nlohmann::json::parse(file);
  for (const auto& entry : data.at("vectors"))
    if (entry.at("id") == id) return entry;
  FAIL("no entry " << id);
  return {};
}

const auto adaptive = [](auto f, auto x, double a, double b) {
  return ul::solve_dormand_prince(f, x, a, b, {.relative = 1e-10, .absolute = 1e-10});
};

// Two correlated Gaussian dimensions: covariance [[2, 0.6], [0.6, 0.5]]. The exact denoiser is linear.
struct correlated {
  static constexpr double xx = 2, xy = 0.6, yy = 0.5;

  // The inverse of alpha^2 C + sigma^2 I, as (a, b, d) of [[a, b], [b, d]], and the determinant of the matrix itself.
  static std::array<double, 4> precision(double logsnr) {
    const double k = ul::alpha_squared(logsnr), n = ul::sigma_squared(logsnr);
    const double a = k * xx + n, b = k * xy, d = k * yy + n, det = a * d - b * b;
    return {d / det, -b / det, a / det, det};
  }
  many operator()(const many& x, double logsnr) const {
    const auto p = precision(logsnr);
    const double a = ul::alpha(logsnr), u = p[0] * x[0] + p[1] * x[1], v = p[1] * x[0] + p[2] * x[1];
    return {a * (xx * u + xy * v), a * (xy * u + yy * v)};
  }
  static double log_density(const many& x, double logsnr) {
    const auto p = precision(logsnr);
    return -std::log(2 * 3.14159265358979323846) - 0.5 * std::log(p[3]) -
           0.5 * (p[0] * x[0] * x[0] + 2 * p[1] * x[0] * x[1] + p[2] * x[1] * x[1]);
  }
};

// mixture_logdensity of the test vectors: 0.5 N(-1, 0.3^2) + 0.5 N(1, 0.3^2), noised.
struct mixture {
  static double variance(double logsnr) { return ul::alpha_squared(logsnr) * 0.09 + ul::sigma_squared(logsnr); }
  double operator()(double x, double logsnr) const {
    const double a = ul::alpha(logsnr), v = variance(logsnr);
    const double p = 1 / (1 + std::exp(-2 * a * x / v));
    const auto mode = [&](double m) { return m + a * 0.09 / v * (x - a * m); };
    return p * mode(1) + (1 - p) * mode(-1);
  }
  static double log_density(double x, double logsnr) {
    const double a = ul::alpha(logsnr), v = variance(logsnr);
    const auto mode = [&](double m) { return std::exp(-(x - a * m) * (x - a * m) / (2 * v)); };
    return std::log(0.5 * (mode(1) + mode(-1)) / std::sqrt(2 * 3.14159265358979323846 * v));
  }
};

}  // namespace

TEST_CASE("solvers have their orders") {
  // dx/dt = -x t, x(0) = 1: x = exp(-t^2 / 2); and backwards.
  const auto f = [](double x, double t) { return -x * t; };
  const auto order = [&](auto solver) {
    const auto error = [&](ul::extent n) { return std::abs(solver(n) - std::exp(-2.0)); };
    return std::log2(error(200) / error(400));
  };
  CHECK(order([&](ul::extent n) { return ul::solve_euler(f, 1.0, 0, 2, n); }) == doctest::Approx(1).epsilon(0.05));
  CHECK(order([&](ul::extent n) { return ul::solve_midpoint(f, 1.0, 0, 2, n); }) == doctest::Approx(2).epsilon(0.05));
  CHECK(order([&](ul::extent n) { return ul::solve_heun3(f, 1.0, 0, 2, n); }) == doctest::Approx(3).epsilon(0.05));
  CHECK(std::abs(adaptive(f, 1.0, 0, 2) - std::exp(-2.0)) < 1e-9);
  CHECK(std::abs(adaptive(f, std::exp(-2.0), 2, 0) - 1) < 1e-8);

  // The adaptive one: error follows the tolerance, and order 5 follows the number of calls.
  ul::extent calls = 0;
  const auto counted = [&](double x, double t) { return ++calls, f(x, t); };
  const auto run = [&](double tolerance) {
    calls = 0;
    return std::abs(ul::solve_dormand_prince(counted, 1.0, 0, 2, {.relative = tolerance, .absolute = tolerance}) -
                    std::exp(-2.0));
  };
  CHECK(run(1e-6) < 1e-5);
  const ul::extent few = calls;
  CHECK(run(1e-11) < 1e-10);
  CHECK(double(calls) / double(few) == doctest::Approx(10).epsilon(0.5));  // 10^(5 / 5), from few steps on
  CHECK_THROWS_WITH(ul::solve_euler(f, 1.0, 0, 1, 0), "solve_euler: 0 steps, expected at least 1");
  CHECK_THROWS_WITH(ul::solve_dormand_prince(f, 1.0, 0, 1, {.relative = 0, .absolute = 0}),
                    "solve_dormand_prince: tolerances are 0 and 0, expected one above 0");
  CHECK_THROWS_AS(ul::solve_dormand_prince([](double x, double) { return x * x; }, 1.0, 0, 2), ul::error);
}

TEST_CASE("published: cubic paths by four solvers") {
  const auto entry = published("ode_cubic");
  const many start = entry.at("setting").at("x0").get<many>(), end = entry.at("expected").at("x1").get<many>();
  const auto steps = static_cast<ul::extent>(std::lround(1 / entry.at("setting").at("step").get<double>()));
  const double tolerance = entry.at("tolerance").at("abs");
  const auto f = [](const many& x, double t) { return many(x.size(), 3 * t * t); };
  for (const auto& method : entry.at("setting").at("methods")) {
    const std::string name = method;
    INFO(name);
    const many x = name == "euler"      ? ul::solve_euler(f, start, 0, 1, steps)
                   : name == "midpoint" ? ul::solve_midpoint(f, start, 0, 1, steps)
                   : name == "heun3"    ? ul::solve_heun3(f, start, 0, 1, steps)
                                        : ul::solve_dormand_prince(f, start, 0, 1);
    REQUIRE(x.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(std::abs(x[i] - end[i]) < tolerance);
  }
}

TEST_CASE("published: likelihood of a constant flow") {
  const auto entry = published("ode_likelihood_constant");
  const many x1 = entry.at("setting").at("x1").get<many>();
  const double tolerance = entry.at("tolerance").at("abs");
  const auto steps = static_cast<ul::extent>(std::lround(1 / entry.at("setting").at("step").get<double>()));
  const auto velocity = [](const many& x, double) { return many(x.size(), 1.0); };
  const auto jvp = [](const many& x, const many&, double) { return many(x.size(), 0.0); };
  const auto divergence = [&](const many& x, double t) { return ul::exact_trace(jvp, x, t); };
  many start;
  const auto log_p = [&](const many& x) {
    const auto base = [&](const many& y) {
      start = y;
      return -ul::inner(y, y) / 2;
    };
    return ul::flow_log_likelihood(velocity, divergence, x, 1, 0, base, [steps](auto f, auto y, double a, double b) {
      return ul::solve_euler(f, y, a, b, steps);
    });
  };
  CHECK(std::abs(log_p(x1) - entry.at("expected").at("log_p1").get<double>()) < tolerance);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(std::abs(start[i] - entry.at("expected").at("x0").at(i).get<double>()) < tolerance);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    many up = x1, down = x1;
    up[i] += 1e-4;
    down[i] -= 1e-4;
    const double slope = (log_p(up) - log_p(down)) / 2e-4;
    CHECK(std::abs(slope - entry.at("expected").at("grad_log_p1_wrt_x1").at(i).get<double>()) < tolerance);
  }
}

TEST_CASE("Gaussian likelihood with the exact trace and Hutchinson's") {
  const correlated data;
  const auto jvp = [&](const many&, const many& v, double logsnr) { return data(v, logsnr); };  // linear
  const auto base = [](const many& x) { return ul::standard_normal_log_density(x); };
  const auto exact = [&](const many& x, double l) { return ul::exact_trace(jvp, x, l); };
  for (const many& x : {many{0.3, -0.8}, many{2, 1}, many{-1, 0.1}}) {
    const double truth = correlated::log_density(x, 5);
    CHECK(std::abs(ul::diffusion_log_likelihood(data, exact, x, 2, 5, -30, base, adaptive) - truth) < 1e-7);

    // The finite-difference product is exact for a linear denoiser.
    const auto product = ul::finite_difference_jvp([](const many& y, double l) { return correlated{}(y, l); });
    const auto differenced = [&](const many& y, double l) { return ul::exact_trace(product, y, l); };
    CHECK(std::abs(ul::diffusion_log_likelihood(data, differenced, x, 2, 5, -30, base, adaptive) - truth) < 1e-6);
  }

  // Signs as probes: the mean over draws is the exact value.
  const many x{0.3, -0.8};
  ul::sample_mean estimate;
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    const auto sign = [&](std::uint64_t i) {
      return ul::uniform_at<double>(ul::key(5).fold_in(draw), i) < 0.5 ? -1.0 : 1.0;
    };
    const many probe{sign(0), sign(1)};
    const auto trace = [&](const many& y, double l) { return ul::hutchinson_trace(jvp, y, probe, l); };
    estimate.add(ul::diffusion_log_likelihood(data, trace, x, 2, 5, -30, base, [](auto f, auto y, double a, double b) {
      return ul::solve_dormand_prince(f, y, a, b, {.relative = 1e-5, .absolute = 1e-6});
    }));
  }
  CHECK(estimate.standard_error() > 0);
  CHECK(std::abs(estimate.mean() - correlated::log_density(x, 5)) < 4 * estimate.standard_error());
}

TEST_CASE("mixture likelihood") {
  // Published log densities of the clean mixture, reached as the last level goes to clean data.
  CHECK(std::abs(mixture::log_density(0.5, 60) - -1.7969868531007265) < 1e-9);
  CHECK(std::abs(mixture::log_density(0, 60) - -5.270521284434293) < 1e-9);
  CHECK(std::abs(mixture::log_density(1, 60) - -0.40811290921531884) < 1e-9);
  const auto jvp = ul::finite_difference_jvp(mixture{}, 1e-5);
  const auto trace = [&](double x, double l) { return ul::exact_trace(jvp, x, l); };
  const auto base = [](double x) { return ul::standard_normal_log_density(x); };
  for (const double x : {0.5, 0.0, 1.0, -1.7})
    CHECK(std::abs(ul::diffusion_log_likelihood(mixture{}, trace, x, 1, 8, -25, base, adaptive) -
                   mixture::log_density(x, 8)) < 1e-5);
}

TEST_CASE("the bound of Gaussian latents is their entropy plus that of the noise") {
  // Exact bits of the ELBO (ul_latent_bits_exact_prior) against the likelihood: E[-log p(z_0)] - h(z_0 | z) with both
  // entropies Gaussian, from the ODE's log density at two points (it is quadratic in z).
  const auto unit = [](double x, double logsnr) { return x * ul::alpha(logsnr); };
  const auto trace = [](double, double logsnr) { return ul::alpha(logsnr); };
  const auto base = [](double x) { return ul::standard_normal_log_density(x); };
  const auto log_p = [&](double x) { return ul::diffusion_log_likelihood(unit, trace, x, 1, 5, -40, base, adaptive); };
  const double mean = log_p(0) + (log_p(1) - log_p(0));  // E[z^2] = 1
  const double noise_entropy = 0.5 * std::log(2 * 3.14159265358979323846 * 2.718281828459045 * ul::sigma_squared(5.0));
  CHECK(std::abs(-mean - noise_entropy - 0.5 * std::log1p(std::exp(5.0))) < 1e-8);
}
