// Stochastic samplers: each against the exact mean and variance of its own discrete chain on Gaussian data, and on a
// mixture whose weights it must keep.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <ul/core/normal.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_consistency.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_flow.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_repaint.hpp>
#include <ul/diffusion/sample_tcd.hpp>

#include "gaussian.hpp"

namespace {

using many = std::vector<double>;

// A denoiser of numbers as one of many independent numbers.
template <class D>
auto lanewise(const D& d) {
  return [&d](const many& x, double logsnr) {
    many out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = d(x[i], logsnr);
    return out;
  };
}

auto normals(std::size_t n, std::uint64_t seed) {
  return [n, k = ul::key(seed)](ul::extent draw) {
    many out(n);
    ul::fill_normal(out.data(), static_cast<ul::extent>(n), k.fold_in(static_cast<std::uint64_t>(draw)));
    return out;
  };
}

template <class F>
void each_stochastic_sampler(F f) {
  f("ancestral", [](auto d, auto x, const auto& g, auto n) { return ul::sample_ancestral(d, x, g, n); });
  f("ancestral, upper variance",
    [](auto d, auto x, const auto& g, auto n) { return ul::sample_ancestral(d, x, g, n, {.interpolation = 0.3}); });
  f("ddim, eta 0.5", [](auto d, auto x, const auto& g, auto n) { return ul::sample_ddim(d, x, g, n, {.eta = 0.5}); });
  f("euler, churn", [](auto d, auto x, const auto& g, auto n) {
    return ul::sample_euler(d, x, g, n, {.churn = {.amount = 8, .sigma_min = 0.1, .noise_scale = 1.003}});
  });
  f("euler ancestral", [](auto d, auto x, const auto& g, auto n) { return ul::sample_euler_ancestral(d, x, g, n); });
  f("heun, churn",
    [](auto d, auto x, const auto& g, auto n) { return ul::sample_heun(d, x, g, n, {.churn = {.amount = 8}}); });
  f("2m sde", [](auto d, auto x, const auto& g, auto n) { return ul::sample_dpmpp_2m_sde(d, x, g, n); });
  f("2s sde", [](auto d, auto x, const auto& g, auto n) { return ul::sample_dpmpp_2s_sde(d, x, g, n); });
  f("3m sde", [](auto d, auto x, const auto& g, auto n) { return ul::sample_dpmpp_3m_sde(d, x, g, n, {.eta = 0.7}); });
  for (const auto form : {ul::flow_diffusion::constant, ul::flow_diffusion::linear, ul::flow_diffusion::quadratic})
    f("flow sde", [form](auto d, auto x, const auto& g, auto n) {
      return ul::sample_flow_sde(d, x, g, n, {.diffusion = form, .last = ul::flow_last_step::noisy});
    });
}

template <class F>
void each_consistency_sampler(F f) {
  f("lcm", [](auto d, auto x, const auto& g, auto n) { return ul::sample_lcm(d, x, g, n); });
  f("consistency",
    [](auto d, auto x, const auto& g, auto n) { return ul::sample_consistency(d, x, g, n, {.sigma_min = 0.002}); });
  f("tcd", [](auto d, auto x, const auto& g, auto n) {
    const ul::linear_schedule schedule{.logsnr_max = 8, .logsnr_min = -12};
    return ul::sample_tcd(d, x, g, n, {.inner = ul::tcd_levels(schedule, g, 0.4)});
  });
}

// The exact mean and variance at the end of a linear chain: its response to the start and each draw.
struct moments {
  double mean = 0, variance = 1;
};
template <class Sampler>
moments chain_moments(const gaussian& data, const ul::logsnr_grid& grid, Sampler sampler, moments start = {}) {
  const auto run = [&](double x, ul::extent kick) {
    return sampler(data, x, grid, [kick](ul::extent draw) { return draw == kick ? 1.0 : 0.0; });
  };
  const double mean = run(start.mean, -1), from_start = run(start.mean + 1, -1) - mean;
  double variance = start.variance * from_start * from_start;
  for (ul::extent draw = 0; draw < 6 * grid.steps(); ++draw) variance += std::pow(run(start.mean, draw) - mean, 2);
  return {mean, variance};
}

struct mixture {
  double operator()(double x, double logsnr) const {
    const gaussian left{-1, 0.2}, right{1, 0.2};
    const double a = ul::alpha(logsnr), v = left.variance(logsnr);
    // Posterior odds of the right mode: prior odds times exp(2 a x / v).
    const double odds = 0.7 / 0.3 * std::exp(2 * a * x / v), p = 1 / (1 + 1 / odds);
    return (1 - p) * left.denoise(x, logsnr) + p * right.denoise(x, logsnr);
  }
};

}  // namespace

TEST_CASE("stochastic samplers follow their own chain") {
  const gaussian data{0.4, 0.7};
  const auto grid = ul::uniform_logsnr_grid(-6, 5, 11);
  const std::size_t n = 40000;
  std::uint64_t seed = 100;
  const auto check_chain = [&](const std::string& name, auto sampler) {
    INFO(name);
    const moments exact = chain_moments(data, grid, sampler);
    const many x = sampler(lanewise(data), normals(n, seed)(-7), grid, normals(n, seed));
    ++seed;
    double mean = 0, variance = 0;
    for (const double v : x) mean += v / double(n);
    for (const double v : x) variance += (v - mean) * (v - mean) / double(n - 1);
    CHECK(std::abs(mean - exact.mean) < 5 * std::sqrt(exact.variance / double(n)));
    CHECK(std::abs(variance - exact.variance) < 5 * exact.variance * std::sqrt(2 / double(n)));
  };
  each_stochastic_sampler(check_chain);
  each_consistency_sampler(check_chain);
}

TEST_CASE("data that are one point keep their marginals exactly") {
  // x^ is that point at every level, so a sampler whose coefficients are right goes from N(alpha m, sigma^2) to
  // N(alpha m, sigma^2), whatever its steps.
  const gaussian point{0.7, 0};
  const ul::logsnr_grid grid{-4, -2.5, -2, 0.3, 1, 4};
  const moments start{ul::alpha(-4.0) * 0.7, ul::sigma_squared(-4.0)};
  const auto check_exact = [&](const std::string& name, auto sampler) {
    INFO(name);
    const moments end = chain_moments(point, grid, sampler, start);
    CHECK(end.mean == doctest::Approx(ul::alpha(4.0) * 0.7).epsilon(1e-12));
    CHECK(end.variance == doctest::Approx(ul::sigma_squared(4.0)).epsilon(1e-12));
  };
  each_stochastic_sampler([&](const std::string& name, auto sampler) {
    // The upper variance, a noise scale above 1 and Euler and Maruyama's steps are inexact by design.
    if (name != "ancestral, upper variance" && name != "euler, churn" && name != "flow sde") check_exact(name, sampler);
  });
  check_exact("euler, churn of scale 1", [](auto d, auto x, const auto& g, auto n) {
    return ul::sample_euler(d, x, g, n, {.churn = {.amount = 1, .sigma_max = 3}});
  });
  check_exact("lcm", [](auto d, auto x, const auto& g, auto n) { return ul::sample_lcm(d, x, g, n); });
  check_exact("tcd", [](auto d, auto x, const auto& g, auto n) {
    const ul::linear_schedule schedule{.logsnr_max = 8, .logsnr_min = -12};
    return ul::sample_tcd(d, x, g, n, {.inner = ul::tcd_levels(schedule, g, 0.4)});
  });
  check_exact("repeated steps", [](auto d, auto x, const auto& g, auto n) {
    return ul::sample_repaint(d, x, 0.0, 0.0, g, n, {.resamples = 2});
  });
  // The upper variance: sigma_s^2 exchanged for sigma_s^(2 - 2v) sigma_t^(2v) in one step, by hand.
  const moments one = chain_moments(
      point, ul::logsnr_grid{-1, 1},
      [](auto d, auto x, const auto& g, auto n) { return ul::sample_ancestral(d, x, g, n, {.interpolation = 0.3}); },
      {ul::alpha(-1.0) * 0.7, ul::sigma_squared(-1.0)});
  const double c = 1 - std::exp(-2.0), low = ul::sigma_squared(1.0), high = ul::sigma_squared(-1.0);
  CHECK(one.variance == doctest::Approx(low * (1 - c) + c * std::pow(low, 0.7) * std::pow(high, 0.3)).epsilon(1e-12));
}

TEST_CASE("chains tend to the data's own variance") {
  const gaussian data{0.4, 0.7};
  const auto check_order = [&](const std::string& name, auto sampler) {
    INFO(name);
    const auto error = [&](ul::extent steps) {
      const moments start{ul::alpha(-4.0) * 0.4, data.variance(-4)};
      const auto m = chain_moments(data, ul::uniform_logsnr_grid(-4, 4, steps), sampler, start);
      CHECK(m.mean == doctest::Approx(ul::alpha(4.0) * 0.4).epsilon(0.02));
      return std::abs(m.variance - data.variance(4));
    };
    const double coarse = error(100), fine = error(200);
    CHECK(fine < 0.02 * data.variance(4));
    CHECK(std::log2(coarse / fine) > 0.85);
  };
  each_stochastic_sampler([&](const std::string& name, auto sampler) {
    if (name != "ancestral, upper variance" && name != "euler, churn") check_order(name, sampler);
  });
}

TEST_CASE("samplers keep the weights of a mixture") {
  const auto grid = ul::uniform_logsnr_grid(-12, 6, 60);
  const std::size_t n = 10000;
  std::uint64_t seed = 500;
  const auto check_weights = [&](const std::string& name, auto sampler) {
    INFO(name);
    const mixture data;
    const many x = sampler(lanewise(data), normals(n, seed)(-7), grid, normals(n, seed));
    ++seed;
    double left = 0;
    for (const double v : x) left += (v < 0) / double(n);
    CHECK(std::abs(left - 0.3) < 5 * std::sqrt(0.21 / double(n)));
  };
  each_stochastic_sampler(check_weights);
  check_weights("ddim", [](auto d, auto x, const auto& g, auto) { return ul::sample_ddim(d, x, g); });
  check_weights("2m", [](auto d, auto x, const auto& g, auto) { return ul::sample_dpmpp_2m(d, x, g); });
}

TEST_CASE("samplers that are equal under other names") {
  const gaussian data{0.4, 0.7};
  const auto grid = ul::uniform_logsnr_grid(-6, 5, 9).then(ul::logsnr_of_clean);
  const auto noise = [](ul::extent draw) { return std::sin(3.0 * double(draw) + 1); };
  const double ancestral = ul::sample_ancestral(data, 0.3, grid, noise);
  CHECK(ul::sample_ddim(data, 0.3, grid, noise, {.eta = 1}) == doctest::Approx(ancestral).epsilon(1e-12));
  CHECK(ul::sample_euler_ancestral(data, 0.3, grid, noise) == doctest::Approx(ancestral).epsilon(1e-12));
  const double ode = ul::sample_dpmpp_2m(data, 0.3, grid);
  CHECK(ul::sample_dpmpp_2m_sde(data, 0.3, grid, noise, {.eta = 0}) == doctest::Approx(ode).epsilon(1e-13));
  CHECK(ul::sample_dpmpp_2s_sde(data, 0.3, grid, noise, {.eta = 0}) ==
        doctest::Approx(ul::sample_dpmpp_2s(data, 0.3, grid)).epsilon(1e-13));
  CHECK(ul::sample_dpmpp_3m_sde(data, 0.3, grid, noise, {.eta = 0}) ==
        doctest::Approx(ul::sample_dpmpp_3m(data, 0.3, grid)).epsilon(1e-13));
  CHECK(ul::sample_flow_sde(data, 0.3, grid, noise, {.strength = 0}) ==
        doctest::Approx(ul::sample_ddim(data, 0.3, grid)).epsilon(1e-12));
  CHECK(ul::sample_tcd(data, 0.3, grid, noise) == doctest::Approx(ul::sample_ddim(data, 0.3, grid)).epsilon(1e-13));
}
