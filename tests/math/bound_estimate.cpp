// Estimates of the variational bound, from samples and at single times, against its exact value.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/core/normal.hpp>
#include <ul/core/uniform.hpp>
#include <ul/diffusion/bound_estimate.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/learned_schedule.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/quadrature.hpp>
#include <ul/diffusion/sample_mean.hpp>
#include <ul/diffusion/time_sampling.hpp>

#include "gaussian_denoiser.hpp"

namespace {

using support::gain;

}  // namespace

TEST_CASE("Monte Carlo over stratified times finds the bound") {
  const ul::cosine_schedule schedule{.logsnr_max = 5, .logsnr_min = -10};
  const ul::key k(3);
  const int dimensions = 32;
  ul::sample_mean nats;
  for (std::uint64_t batch = 0; batch < 500; ++batch) {
    const double u = ul::uniform_at<double>(k.fold_in(batch), 1000);
    double mean = 0;
    for (ul::extent i = 0; i < 16; ++i) {
      const double t = ul::stratified(u, i, 16);
      const auto c = ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, t);
      for (int d = 0; d < dimensions; ++d) {
        const std::uint64_t draw = 2 * static_cast<std::uint64_t>(i * dimensions + d);
        const double x = ul::normal_at<double>(k.fold_in(batch), draw),
                     eps = ul::normal_at<double>(k.fold_in(batch), draw + 1);
        const double state = c.alpha * x + c.sigma * eps, x_guess = gain(1, c.logsnr) * state;
        const double guess = (x_guess - c.alpha * state) / -c.sigma;  // v^ of x^ = alpha x_t - sigma v^
        const double error = c.target.x * x + c.target.eps * eps - guess;
        mean += c.weight * error * error / (16 * dimensions);
      }
    }
    nats.add(mean);
  }
  CHECK(std::abs(nats.mean() - 2.5033349747949507) < 4 * nats.standard_error());
  CHECK(nats.standard_error() < 0.02);
}

TEST_CASE("estimated bounds of a state") {
  // 64 dimensions of N(0, 0.8^2) data with their exact denoiser; the exact value for this very state by quadrature.
  const double s = 0.8;
  std::vector<double> x(64);
  ul::fill_normal(x.data(), 64, ul::key(21));
  for (double& v : x) v *= s;
  const double square = ul::inner(x, x);
  const auto denoiser = [&](const std::vector<double>& y, double l) { return ul::combine(gain(s, l), y); };
  const auto noise = [](ul::extent draw) {
    std::vector<double> eps(64);
    ul::fill_normal(eps.data(), 64, ul::key(22).fold_in(std::uint64_t(draw)));
    return eps;
  };
  const auto error = [&](double l) {  // E ||x - x^||^2
    const double g = gain(s, l), keep = 1 - g * ul::alpha(l);
    return keep * keep * square + 64 * g * g * ul::sigma_squared(l);
  };
  double terminal = 0;
  for (const double v : x) terminal += ul::terminal_kl(v, -10.0);

  const ul::linear_schedule schedule{.logsnr_max = 5, .logsnr_min = -10};
  const auto continuous = ul::estimate_bound(denoiser, x, schedule, 4000, 0.3, noise);
  const double exact = ul::integrate([&](double l) { return 0.5 * std::exp(l) * error(l); }, -10, 5, 100);
  CHECK(continuous.mean.terminal == doctest::Approx(terminal).epsilon(1e-12));
  CHECK(std::abs(continuous.mean.diffusion - exact) < 4 * continuous.standard_error);
  // Its standard error is the spread of the integrand over the levels, the noise adding little in 64 dimensions.
  const double square_mean =
      ul::integrate([&](double l) { return 15 * std::pow(0.5 * std::exp(l) * error(l), 2); }, -10, 5, 100);
  CHECK(continuous.standard_error == doctest::Approx(std::sqrt((square_mean - exact * exact) / 4000)).epsilon(0.05));

  const auto grid = ul::uniform_logsnr_grid(-10, 5, 40);
  const auto discrete = ul::estimate_discrete_bound(denoiser, x, grid, 100, noise);
  double expected = 0;
  for (ul::extent i = 0; i < 40; ++i)
    expected += ul::discrete_weight(grid[i], grid[i + 1]) * std::exp(grid[i]) * error(grid[i]);
  CHECK(std::abs(discrete.mean.diffusion - expected) < 4 * discrete.standard_error);
  CHECK(discrete.mean.diffusion > exact);
  CHECK(discrete.mean.nats() == discrete.mean.diffusion + discrete.mean.terminal);
  CHECK_THROWS_WITH(ul::estimate_bound(denoiser, x, schedule, 0, 0.3, noise),
                    "estimate_bound: 0 draws, expected at least 1");
}

TEST_CASE("the learned schedule's gradient reaches the bound through level and slope") {
  // The estimate at one fixed time, as training sees it: -1/2 lambda'(t) e^lambda mse(lambda).
  ul::learned_schedule s{.parameters = ul::learned_schedule::initial(6, -7, 3)};
  const double scale = 0.8, t = 0.37;
  const auto error = [&](double l) { return std::exp(l) * scale * scale / (1 + scale * scale * std::exp(l)); };
  const auto loss = [&](const ul::learned_schedule& l) {
    return ul::coefficients_at(l, ul::elbo_weight{}, ul::eps_prediction{}, t).weight * error(l.logsnr(t));
  };
  const double logsnr = s.logsnr(t), slope = s.dlogsnr(t), derivative = error(logsnr) * (1 - error(logsnr));
  std::vector<double> gradient(s.parameters.size(), 0.0);
  s.add_gradient(t, -slope / 2 * derivative, -error(logsnr) / 2, gradient);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    ul::learned_schedule up = s, down = s;
    up.parameters[i] += 1e-5;
    down.parameters[i] -= 1e-5;
    CHECK(gradient[i] == doctest::Approx((loss(up) - loss(down)) / 2e-5).epsilon(1e-7).scale(1));
  }

  // Integrated over time, only the end points matter: the shape's gradient is zero, theirs minus and plus half the
  // error there.
  std::vector<double> total(s.parameters.size(), 0.0);
  for (std::size_t i = 0; i < total.size(); ++i)
    total[i] = ul::integrate(
        [&](double time) {
          const double l = s.logsnr(time);
          std::vector<double> g(total.size(), 0.0);
          s.add_gradient(time, -s.dlogsnr(time) / 2 * error(l) * (1 - error(l)), -error(l) / 2, g);
          return g[i];
        },
        0, 1, 50);
  CHECK(total[0] == doctest::Approx(error(6) / 2).epsilon(1e-9));
  CHECK(total[1] == doctest::Approx(-error(-7) / 2).epsilon(1e-9));
  for (std::size_t i = 2; i < total.size(); ++i) CHECK(std::abs(total[i]) < 1e-9);
}
