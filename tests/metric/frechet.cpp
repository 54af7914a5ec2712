#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <ul/core/normal.hpp>
#include <ul/metric/frechet.hpp>

using doctest::Approx;
using ul::extent;
using ul::gaussian_fit;

namespace {

std::vector<float> normal(extent count, std::uint64_t seed) {
  std::vector<float> x(static_cast<std::size_t>(count));
  ul::fill_normal(x.data(), count, ul::key(seed), 0);
  return x;
}

gaussian_fit diagonal(std::vector<double> mean, const std::vector<double>& variances) {
  const std::size_t D = variances.size();
  std::vector<double> covariance(D * D);
  for (std::size_t i = 0; i < D; ++i) covariance[i * (D + 1)] = variances[i];
  return {std::move(mean), std::move(covariance)};
}

// Q diag(variances) Q^T for Q = I - 2 u u^T, u = (1, 1, 1) / sqrt(3).
gaussian_fit mirrored(const std::vector<double>& mean, const std::vector<double>& variances) {
  gaussian_fit g{mean, std::vector<double>(9)};
  const auto q = [](std::size_t i, std::size_t j) { return (i == j ? 1. : 0.) - 2. / 3; };
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) g.covariance[i * 3 + j] += q(i, k) * variances[k] * q(j, k);
  return g;
}

}  // namespace

TEST_CASE("mean and covariance of features, in any batches") {
  // (1, 2), (3, 6), (5, 1): mean (3, 3), squares 8 and 14, product -1 * -2 + 0 + 2 * -2.
  const std::vector<float> three = {1, 2, 3, 6, 5, 1};
  const gaussian_fit g = ul::fit_gaussian(three, 2);
  CHECK(g.mean == std::vector<double>{3, 3});
  CHECK(g.covariance == std::vector<double>{4, -1, -1, 7});

  // Far from zero, where a difference of sums would keep no digit.
  std::vector<float> x = normal(1000 * 5, 1);
  for (float& v : x) v += 4096;
  const gaussian_fit whole = ul::fit_gaussian(x, 5);
  for (const extent batch : {1, 7, 64, 999}) {
    CAPTURE(batch);
    ul::gaussian_fitter fitter(5);
    for (extent first = 0; first < 1000; first += batch)
      fitter.add(std::span(x).subspan(static_cast<std::size_t>(first * 5),
                                      static_cast<std::size_t>((std::min)(batch, 1000 - first) * 5)));
    CHECK(fitter.count() == 1000);
    const gaussian_fit parts = fitter.fit();
    for (std::size_t i = 0; i < 5; ++i) CHECK(std::abs(parts.mean[i] - whole.mean[i]) <= 1e-11);
    for (std::size_t i = 0; i < 25; ++i) CHECK(std::abs(parts.covariance[i] - whole.covariance[i]) <= 1e-12);
  }
  long double mean = 0, square = 0;
  for (std::size_t i = 0; i < x.size(); i += 5) mean += static_cast<long double>(x[i]) / 1000;
  for (std::size_t i = 0; i < x.size(); i += 5) square += (x[i] - mean) * (x[i] - mean) / 999;
  CHECK(whole.covariance[0] == Approx(static_cast<double>(square)).epsilon(1e-12));
}

TEST_CASE("Fréchet distance of Gaussians in closed form") {
  // Diagonal, and so commuting: |d|^2 + sum (sigma_a - sigma_b)^2.
  const gaussian_fit a = diagonal({1, 2, 3}, {1, 4, 0.25});
  CHECK(ul::frechet_distance(a, diagonal({1, 5, -1}, {1, 4, 0.25})) == Approx(9 + 16).epsilon(1e-14));
  CHECK(ul::frechet_distance(a, diagonal({1, 2, 3}, {9, 36, 2.25})) == Approx(4 + 16 + 1).epsilon(1e-14));
  CHECK(ul::frechet_distance(a, diagonal({1, 2, 4}, {4, 1, 0.25})) == Approx(1 + 1 + 1).epsilon(1e-14));
  CHECK(ul::frechet_distance(a, a) <= 1e-14);

  // The same, turned, and 64 times as large; and from a turned one to one that is not.
  const gaussian_fit ta = mirrored({0, 0, 0}, {64, 256, 16}), tb = mirrored({0, 3, 4}, {16, 64, 256});
  CHECK(ul::frechet_distance(ta, tb) == Approx(25 + 16 + 64 + 144).epsilon(1e-13));
  CHECK(ul::frechet_distance(ta, tb) == Approx(ul::frechet_distance(tb, ta)).epsilon(1e-14));

  // Two dimensions that do not commute: tr (AB)^1/2 = sqrt(tr AB + 2 sqrt(det AB)). A = ((2, 1), (1, 2)), det 3,
  // B = diag(1, 4), det 4, tr AB = 10.
  const gaussian_fit plain{{0, 0}, {2, 1, 1, 2}};
  CHECK(ul::frechet_distance(plain, diagonal({0, 0}, {1, 4})) ==
        Approx(4 + 5 - 2 * std::sqrt(10 + 2 * std::sqrt(12.))).epsilon(1e-14));
}

// With C_b = G C_a G and G positive definite, C_a C_b = (C_a G)^2, whose root is C_a G: tr (C_a C_b)^1/2 = tr C_a G.
TEST_CASE("Fréchet distance of Gaussians whose covariances do not commute") {
  constexpr std::size_t D = 24;
  using matrix = std::vector<double>;
  const auto product = [](const matrix& x, const matrix& y) {
    matrix z(D * D);
    for (std::size_t i = 0; i < D; ++i)
      for (std::size_t k = 0; k < D; ++k)
        for (std::size_t j = 0; j < D; ++j) z[i * D + j] += x[i * D + k] * y[k * D + j];
    return z;
  };
  const auto trace = [](const matrix& x) {
    double sum = 0;
    for (std::size_t i = 0; i < D; ++i) sum += x[i * (D + 1)];
    return sum;
  };
  const matrix c = ul::fit_gaussian(normal(100 * D, 6), D).covariance,
               g = ul::fit_gaussian(normal(60 * D, 7), D).covariance;
  const matrix other = product(product(g, c), g);
  const matrix zero(D);
  CHECK(ul::frechet_distance({zero, c}, {zero, other}) ==
        Approx(trace(c) + trace(other) - 2 * trace(product(c, g))).epsilon(1e-12));
}

TEST_CASE("Fréchet distance where covariances have no inverse") {
  // The same null space, and null spaces at right angles: nothing of either is shared.
  CHECK(ul::frechet_distance(mirrored({0, 0, 0}, {4, 0, 0}), mirrored({0, 0, 0}, {9, 0, 0})) ==
        Approx(1).epsilon(1e-13));
  CHECK(ul::frechet_distance(mirrored({0, 0, 0}, {4, 0, 0}), mirrored({0, 0, 0}, {0, 9, 0})) ==
        Approx(13).epsilon(1e-13));
  CHECK(ul::frechet_distance(diagonal({1, 2}, {0, 0}), diagonal({4, 6}, {0, 0})) == Approx(25).epsilon(1e-14));

  // Fewer samples than features, from themselves and shifted: exact as well.
  const std::vector<float> x = normal(10 * 40, 2);
  auto shifted = x;
  for (float& v : shifted) v += 0.5f;
  CHECK(ul::frechet_distance(x, x, 40) <= 1e-11);
  CHECK(ul::frechet_distance(x, shifted, 40) == Approx(40 * 0.25).epsilon(1e-6));  // the shift rounds to float
}

TEST_CASE("Fréchet distance of samples approaches that of their Gaussians") {
  // y = 2 x + 1 of other samples: D (1 + 1), and a bias and noise of some D^2 / N.
  const std::vector<float> x = normal(20000 * 8, 3);
  std::vector<float> y = normal(20000 * 8, 4);
  for (float& v : y) v = 2 * v + 1;
  CHECK(std::abs(ul::frechet_distance(x, y, 8) - 16) <= 0.3);
  CHECK(ul::frechet_distance(x, normal(20000 * 8, 5), 8) <= 0.02);
}

TEST_CASE("misuse of the Fréchet distance") {
  const std::vector<float> x = {1, 2, 3, 4}, three = {1, 2, 3}, one = {1, 2};
  CHECK_THROWS_WITH(ul::frechet_distance(x, three, 2), "gaussian_fitter: 3 values, expected a multiple of 2 features");
  CHECK_THROWS_WITH(ul::frechet_distance(x, one, 2), "gaussian_fitter: 1 samples, expected at least 2");
  CHECK_THROWS_WITH(ul::gaussian_fitter(0), "gaussian_fitter: 0 features, expected at least 1");
  CHECK_THROWS_WITH(ul::frechet_distance(diagonal({0, 0}, {1, 1}), diagonal({0}, {1})),
                    "frechet_distance: a mean of 1 features and a covariance of 1 elements, expected 2 and 4");
  CHECK_THROWS_WITH(ul::frechet_distance(diagonal({0}, {1}), diagonal({0}, {std::numeric_limits<double>::infinity()})),
                    "frechet_distance: a moment is inf, expected a finite number");

  ul::gaussian_fitter fitter(2);
  fitter.add(x);
  const std::vector<float> bad = {1, 2, 3, std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_WITH(fitter.add(bad), "gaussian_fitter: feature 1 of sample 3 is nan");
  CHECK(fitter.count() == 2);
  CHECK(fitter.fit().mean == std::vector<double>{2, 3});
}
