#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <ul/train/ema.hpp>
#include <ul/train/rate.hpp>

#include "support.hpp"

using doctest::Approx;
using ul::extent;

namespace {

// Twenty weights on a smooth curve with ripples: where they stand at time t.
std::vector<double> weights_at(extent t) {
  std::vector<double> w(20);
  const double s = static_cast<double>(t);
  for (std::size_t i = 0; i < w.size(); ++i)
    w[i] = std::log1p(s) + 0.3 * std::sin(s * (0.01 + 0.002 * static_cast<double>(i))) + 0.1 * std::cos(2.7 * s);
  return w;
}

// The L2 norms over time of a profile and, at most, of one weight's path.
double size_of_profile(double sigma_rel, extent last) {
  const double g = ul::power_exponent(sigma_rel);
  return (g + 1) / std::sqrt((2 * g + 1) * static_cast<double>(last));
}
double size_of_path(extent last) {
  std::vector<double> sums(20);
  for (extent t = 1; t <= last; ++t) {
    const auto w = weights_at(t);
    for (std::size_t i = 0; i < w.size(); ++i) sums[i] += w[i] * w[i];
  }
  return std::sqrt(*std::max_element(sums.begin(), sums.end()));
}

struct moving {
  ul::reference device;
  ul::parameters<ul::reference, double> parameters{device};
  moving() {
    parameters.root().declare("weight", {20}, ul::zeros_init);
    parameters.allocate(ul::key(0));
  }
  void go_to(extent t) { test::put(parameters.master(), weights_at(t)); }
};

}  // namespace

// NVlabs/edm2, training/phema.py; the paper quotes 16.97 and 6.94.
TEST_CASE("exponents of the power-function average") {
  CHECK(ul::power_exponent(0.05) == Approx(16.972198602303447).epsilon(1e-12));
  CHECK(ul::power_exponent(0.075) == Approx(10.289116448983862).epsilon(1e-12));
  CHECK(ul::power_exponent(0.10) == Approx(6.937203937601805).epsilon(1e-12));
  CHECK(ul::power_exponent(0.15) == Approx(3.5578687748994664).epsilon(1e-12));
  CHECK(ul::power_exponent(0.20) == Approx(1.8262137798958389).epsilon(1e-12));
  CHECK(ul::power_exponent(1 / std::sqrt(12.)) == Approx(0).epsilon(1e-12));
  CHECK(ul::power_decay(ul::power_exponent(0.05), 1 << 20, 2048) == Approx(0.9654738379789811).epsilon(1e-10));
  for (const double s : {1e-6, 1e-3, 0.02, 0.28})
    CHECK(ul::power_sigma_rel(ul::power_exponent(s)) == Approx(s).epsilon(1e-10));
  CHECK_THROWS_WITH(ul::power_exponent(0.3), "power_exponent: sigma_rel is 0.3, expected in (0, 0.288675]");
  CHECK_THROWS_WITH(ul::power_exponent(0), "power_exponent: sigma_rel is 0, expected in (0, 0.288675]");
  CHECK_THROWS_WITH(ul::power_sigma_rel(-1), "power_sigma_rel: exponent is -1, expected at least 0");
}

TEST_CASE("a power-function average weighs time s by s^exponent") {
  moving m;
  const ul::power_average profile(0.10);
  ul::ema average(m.parameters, profile);
  const extent last = 300;
  double expected = 0, mean_time = 0, mean_square = 0;
  for (extent t = 1; t <= last; ++t) {
    m.go_to(t);
    average.update(m.parameters);
    const auto share = [&](extent s) {
      return std::pow(static_cast<double>(s) / static_cast<double>(last), profile.exponent() + 1);
    };
    const double weight = share(t) - share(t - 1), time = static_cast<double>(t) - 0.5;
    expected += weight * weights_at(t)[7];
    mean_time += weight * time;
    mean_square += weight * time * time;
  }
  CHECK(ul::to_host(average.average())[7] == Approx(expected).epsilon(1e-13));
  CHECK(std::sqrt(mean_square - mean_time * mean_time) / static_cast<double>(last) == Approx(0.10).epsilon(1e-4));
}

TEST_CASE("a constant and a warming average") {
  moving m;
  ul::ema constant(m.parameters, ul::constant_average{0.75}), warming(m.parameters, ul::warm_up_average{.decay = 0.9});
  m.go_to(5);
  constant.update(m.parameters);
  warming.update(m.parameters);
  CHECK(ul::to_host(constant.average())[3] == Approx(0.25 * weights_at(5)[3]).epsilon(1e-15));
  CHECK(ul::to_host(warming.average())[3] == weights_at(5)[3]);

  const ul::warm_up_average profile{.decay = 0.9999, .inverse_gamma = 1, .power = 2. / 3};
  CHECK(profile(1) == 0);
  CHECK(profile(8) == Approx(0.75).epsilon(1e-14));  // 1 - 8^(-2/3)
  CHECK(profile(31623) == Approx(0.999).epsilon(1e-5));
  CHECK(profile(100000000) == 0.9999);

  ul::ema wrong(m.parameters, ul::constant_average{1.5});
  CHECK_THROWS_WITH(wrong.update(m.parameters), "ema: decay is 1.5, expected in [0, 1]");
  CHECK(wrong.updates() == 0);
}

TEST_CASE("any power-function average is reconstructed from snapshots of two") {
  moving m;
  const ul::power_average narrow(0.05), wide(0.10);
  const std::vector<double> asked = {0.04, 0.06, 0.08, 0.13, 0.20};
  ul::ema a(m.parameters, narrow), b(m.parameters, wide);
  std::vector<ul::ema<ul::reference, double>> direct;
  for (const double s : asked) direct.emplace_back(m.parameters, ul::power_average(s));
  std::vector<ul::power_profile> kept;
  std::vector<ul::tensor<ul::reference, double>> snapshots;
  const extent last = 2048;
  for (extent t = 1; t <= last; ++t) {
    m.go_to(t);
    a.update(m.parameters);
    b.update(m.parameters);
    for (auto& d : direct) d.update(m.parameters);
    if (t % 64 != 0) continue;
    kept.push_back({narrow.exponent(), static_cast<double>(t)});
    kept.push_back({wide.exponent(), static_cast<double>(t)});
    snapshots.push_back(ul::clone(a.average()));
    snapshots.push_back(ul::clone(b.average()));
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CAPTURE(asked[i]);
    const auto r = ul::reconstruct(kept, {ul::power_exponent(asked[i]), static_cast<double>(last)});
    const auto found = ul::to_host(ul::weighted_sum(snapshots, r.weights));
    const auto expected = ul::to_host(direct[i].average());
    CHECK(r.error < 0.01);
    const auto distance = [&](const std::vector<double>& x) {
      double worst = 0;
      for (std::size_t k = 0; k < x.size(); ++k) worst = (std::max)(worst, std::abs(x[k] - expected[k]));
      return worst;
    };
    const double worst = distance(found);
    const double nearest = (std::min)(distance(ul::to_host(a.average())), distance(ul::to_host(b.average())));
    CHECK(worst <= r.error * size_of_profile(asked[i], last) * size_of_path(last));  // Cauchy and Schwarz
    CHECK(worst < 0.1 * nearest);
  }
}

TEST_CASE("what was kept is reconstructed exactly, also among doubles") {
  const ul::power_profile x{6.9, 100}, y{16.9, 100}, z{6.9, 70};
  const std::vector<ul::power_profile> kept = {x, y, x, z};
  const auto r = ul::reconstruct(kept, y);
  CHECK(r.weights[1] == Approx(1).epsilon(1e-12));
  CHECK(std::abs(r.weights[0]) + std::abs(r.weights[2]) + std::abs(r.weights[3]) < 1e-12);
  CHECK(r.error < 1e-7);
  const auto twice = ul::reconstruct(kept, x);
  CHECK(twice.weights[0] + twice.weights[2] == Approx(1).epsilon(1e-12));

  // One average for another: the projection, by the integral of the two profiles.
  const std::vector<ul::power_profile> one = {x};
  const auto p = ul::reconstruct(one, z);
  double cross = 0, square = 0, length = 0;
  const int cells = 200000;
  for (int i = 0; i < cells; ++i) {
    const double t = (i + 0.5) / cells * 100;
    const double fx = 7.9 * std::pow(t / 100, 6.9) / 100, fz = t < 70 ? 7.9 * std::pow(t / 70, 6.9) / 70 : 0;
    cross += fx * fz;
    square += fx * fx;
    length += fz * fz;
  }
  CHECK(p.weights[0] == Approx(cross / square).epsilon(1e-7));
  CHECK(p.error == Approx(std::sqrt(1 - cross * cross / (square * length))).epsilon(1e-7));
}

TEST_CASE("misuse of reconstruction") {
  const std::vector<ul::power_profile> none, bad = {{-1, 5}}, good = {{1, 5}};
  CHECK_THROWS_WITH(ul::reconstruct(none, {1, 5}), "reconstruct: 0 averages are kept, expected at least 1");
  CHECK_THROWS_WITH(ul::reconstruct(bad, {1, 5}),
                    "reconstruct: a profile has exponent -1 and time 5, expected >= 0 and > 0");
  CHECK_THROWS_WITH(ul::reconstruct(good, {1, 0}),
                    "reconstruct: a profile has exponent 1 and time 0, expected >= 0 and > 0");
  ul::reference device;
  const std::vector<ul::tensor<ul::reference, float>> two = {ul::zeros<float>(device, {2}),
                                                             ul::zeros<float>(device, {3})};
  const std::vector<double> weights = {1, 1}, one = {1};
  CHECK_THROWS_WITH(ul::weighted_sum(two, one), "weighted_sum: 2 averages and 1 weights, expected one weight for each");
  CHECK_THROWS_WITH(ul::weighted_sum(two, weights), "weighted_sum: average 1 has 3 values, expected 2");
}

TEST_CASE("averaged weights are lent to the model and taken back") {
  moving m;
  ul::ema average(m.parameters, ul::constant_average{0.5});
  m.go_to(9);
  average.update(m.parameters);
  const auto own = ul::to_host(m.parameters.value());
  {
    const ul::averaged_weights lent(m.parameters, average);
    CHECK(test::same_bits(ul::to_host(m.parameters.value()), ul::to_host(average.average())));
    CHECK(ul::to_host(m.parameters.value()) != own);
  }
  CHECK(test::same_bits(ul::to_host(m.parameters.value()), own));
}

TEST_CASE("learning rates") {
  const ul::constant_rate constant{.peak = 2, .warm_up = 4};
  CHECK(constant(0) == 0.5);
  CHECK(constant(3) == 2);
  CHECK(constant(1000) == 2);
  CHECK(ul::constant_rate{.peak = 3}(0) == 3);

  const ul::cosine_rate cosine{.peak = 1, .end = 0.2, .warm_up = 10, .steps = 110};
  CHECK(cosine(4) == 0.5);
  CHECK(cosine(10) == Approx(1).epsilon(1e-15));
  CHECK(cosine(60) == Approx(0.6).epsilon(1e-15));
  CHECK(cosine(35) == Approx(0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2).epsilon(1e-14));
  CHECK(cosine(110) == Approx(0.2).epsilon(1e-15));
  CHECK(cosine(1000) == cosine(110));
  for (extent n = 10; n < 110; ++n) CHECK(cosine(n + 1) < cosine(n));

  const ul::inverse_sqrt_rate root{.peak = 1, .warm_up = 10, .from = 100};
  CHECK(root(0) == Approx(0.1).epsilon(1e-15));
  CHECK(root(100) == 1);
  CHECK(root(400) == Approx(0.5).epsilon(1e-15));

  const ul::linear_rate line{.peak = 1, .end = 0.1, .warm_up = 10, .from = 100, .steps = 200};
  CHECK(line(1) == Approx(0.2).epsilon(1e-15));
  CHECK(line(100) == 1);
  CHECK(line(150) == Approx(0.55).epsilon(1e-15));
  CHECK(line(200) == Approx(0.1).epsilon(1e-15));
  CHECK(line(5000) == line(200));

  CHECK(ul::cosine_rate{.peak = 1, .end = 0.5, .warm_up = 5, .steps = 5}(5) == 0.5);  // no room: the end at once
}
