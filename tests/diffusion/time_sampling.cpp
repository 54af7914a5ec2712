#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/core/uniform.hpp>
#include <ul/diffusion/importance_times.hpp>
#include <ul/diffusion/loss_histogram.hpp>
#include <ul/diffusion/normal_quantile.hpp>
#include <ul/diffusion/quadrature.hpp>
#include <ul/diffusion/sample_mean.hpp>
#include <ul/diffusion/time_sampling.hpp>

TEST_CASE("normal quantile inverts the distribution function") {
  for (double z = -37; z <= 37; z += 0.173) {
    const double p = 0.5 * std::erfc(-z * std::sqrt(0.5)), q = 0.5 * std::erfc(z * std::sqrt(0.5));
    CAPTURE(z);
    CHECK(ul::normal_quantile(p, q) == doctest::Approx(z).epsilon(4e-14));
  }
  CHECK(ul::normal_quantile(0.5, 0.5) == 0);
  CHECK(ul::normal_quantile(0.975f, 0.025f) == doctest::Approx(1.959963984540054).epsilon(1e-6));
}

TEST_CASE("stratified points") {
  // One in each of n equal cells, whatever u.
  for (const double u : {0.0, 0.3, 0.999999}) {
    std::vector<int> cell(16, 0);
    for (ul::extent i = 0; i < 16; ++i) {
      const double t = ul::stratified(u, i, 16);
      CHECK(t >= 0);
      CHECK(t < 1);
      ++cell[static_cast<std::size_t>(t * 16)];
    }
    for (const int n : cell) CHECK(n == 1);
  }
  CHECK(ul::stratified(0.3, 1, 2) == doctest::Approx(0.8));
  CHECK(ul::stratified(1 - 0x1p-53, 15, 16) < 1);
  CHECK_THROWS_WITH(ul::stratified(1, 0, 2), "stratified: u is 1, expected 0 <= u < 1");
  CHECK_THROWS_WITH(ul::stratified(0.5, 2, 2), "stratified: point 2 of 2 does not exist");
}

TEST_CASE("stratified times lower the variance of a batch's mean") {
  // The mean over 16 times of a smooth loss; its variance over 2000 batches, against independent times.
  const auto loss = [](double t) { return std::exp(2 * t); };
  ul::sample_mean independent, spread;
  const ul::key k(11);
  for (std::uint64_t b = 0; b < 2000; ++b) {
    double sum_independent = 0, sum_spread = 0;
    for (ul::extent i = 0; i < 16; ++i) {
      sum_independent += loss(ul::uniform_at<double>(k.fold_in(b), static_cast<std::uint64_t>(i)));
      sum_spread += loss(ul::stratified(ul::uniform_at<double>(k.fold_in(b), 99), i, 16));
    }
    independent.add(sum_independent / 16);
    spread.add(sum_spread / 16);
  }
  const double exact = (std::exp(2.0) - 1) / 2;
  CHECK(std::abs(independent.mean() - exact) < 4 * independent.standard_error());
  CHECK(std::abs(spread.mean() - exact) < 4 * spread.standard_error());
  // The mean of n shifted points of a smooth loss is off by (loss(1) - loss(0)) (u - 1/2) / n to leading order.
  const double range = std::exp(2.0) - 1;
  CHECK(spread.variance() == doctest::Approx(range * range / (12 * 16 * 16)).epsilon(0.1));
  CHECK(spread.variance() < independent.variance() / 10);
}

TEST_CASE("densities belong to their quantiles") {
  const auto check_density = [](const auto& d) {
    static_assert(ul::time_distribution<std::remove_cvref_t<decltype(d)>>);
    // Integral of the density between two quantiles = the difference of their probabilities.
    for (const double u : {0.1, 0.5, 0.8}) {
      const double mass = ul::integrate([&](double t) { return d.density(t); }, d.time(u), d.time(u + 0.1), 400);
      CHECK(mass == doctest::Approx(0.1).epsilon(1e-3));
    }
    // E[f(t) / density(t)] = integral of f over the support.
    double sum = 0;
    const int n = 20000;
    for (int i = 0; i < n; ++i) {
      const double t = d.time((i + 0.5) / n);
      sum += t * t * (1 - t) / d.density(t) / n;
    }
    CHECK(sum == doctest::Approx(1.0 / 12).epsilon(2e-3));
  };
  check_density(ul::uniform_times{});
  check_density(ul::logit_normal_times{.mean = 0, .deviation = 1});
  check_density(ul::logit_normal_times{.mean = 0.5, .deviation = 0.8});
  ul::importance_times learned{.bins = 8};
  check_density(learned);
  for (int i = 0; i < 8; ++i) learned.record((i + 0.5) / 8, 1.0 + i);
  check_density(learned);
  CHECK(std::isfinite(ul::logit_normal_times{}.time(0)));
  CHECK(ul::logit_normal_times{}.time(0.5) == 0.5);
}

TEST_CASE("importance sampling follows the loss and needs every bin first") {
  ul::importance_times d{.bins = 4, .decay = 0.5, .uniform_share = 0};
  d.record(0.1, 3);
  CHECK(d.density(0.1) == 1);
  d.record(0.3, 1);
  d.record(0.6, 1);
  d.record(1.0, 1);
  CHECK(d.density(0.1) == doctest::Approx(2));  // 3 / 6 of the mass on a quarter of the time
  CHECK(d.density(0.9) == doctest::Approx(4.0 / 6));
  d.record(0.1, 1);  // mean square (9 + 1) / 2
  CHECK(d.mean_square[0] == doctest::Approx(5));
  d.record(0.1, std::nan(""));
  CHECK(d.mean_square[0] == doctest::Approx(5));
  CHECK_THROWS_WITH(d.record(1.5, 1), "importance_times: t is 1.5, expected 0 <= t <= 1");
}

TEST_CASE("loss histogram") {
  ul::loss_histogram h(-10, 10, 4);
  h.record(-20, 1);
  h.record(-9, 3);
  h.record(0, 5);
  h.record(10, 7);
  h.record(99, 9);
  CHECK(h.count(0) == 2);
  CHECK(h.mean(0) == 2);
  CHECK(h.count(1) == 0);
  CHECK(h.mean(1) == 0);
  CHECK(h.mean(2) == 5);
  CHECK(h.mean(3) == 8);
  CHECK(h.centre(0) == -7.5);
  CHECK_THROWS_WITH(ul::loss_histogram(1, 1, 4), "loss_histogram: logsnr_min is 1, expected below logsnr_max, 1");
  CHECK_THROWS_WITH(ul::loss_histogram(0, 1, 0), "loss_histogram: 0 bins, expected at least 1");
}

TEST_CASE("sample mean and its standard error") {
  const double numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};
  ul::sample_mean all, left, right;
  for (int i = 0; i < 8; ++i) {
    all.add(numbers[i]);
    (i < 3 ? left : right).add(numbers[i]);
  }
  CHECK(all.mean() == doctest::Approx(3.875));
  CHECK(all.variance() == doctest::Approx(7.553571428571429));
  CHECK(all.standard_error() == doctest::Approx(std::sqrt(7.553571428571429 / 8)));
  left.merge(right);
  CHECK(left.mean() == doctest::Approx(all.mean()));
  CHECK(left.variance() == doctest::Approx(all.variance()));
  CHECK(ul::sample_mean().standard_error() == 0);
}

TEST_CASE("quadrature is exact to degree 15") {
  for (int n = 0; n <= 15; ++n)
    CHECK(ul::integrate([n](double x) { return std::pow(x, n); }, 0, 2) ==
          doctest::Approx(std::pow(2.0, n + 1) / (n + 1)).epsilon(1e-14));
  CHECK(ul::integrate([](double x) { return std::sin(x); }, 0, 3, 4) ==
        doctest::Approx(1 - std::cos(3.0)).epsilon(1e-15));
  CHECK_THROWS_WITH(ul::integrate([](double x) { return x; }, 0, 1, 0), "integrate: 0 panels, expected at least 1");
}
