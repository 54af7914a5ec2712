#include <doctest/doctest.h>

#include <limits>

#include <ul/core/normal.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/precision_recall.hpp>

using doctest::Approx;
using ul::extent;

namespace {

std::vector<float> normal(extent count, std::uint64_t seed) {
  std::vector<float> x(static_cast<std::size_t>(count));
  ul::fill_normal(x.data(), count, ul::key(seed), 0);
  return x;
}

// The definition, in double, one pair at a time.
double inside(const std::vector<float>& x, const std::vector<float>& centres, std::size_t D, std::size_t k) {
  const auto distance = [D](const std::vector<float>& a, std::size_t i, const std::vector<float>& b, std::size_t j) {
    double sum = 0;
    for (std::size_t d = 0; d < D; ++d) sum += std::pow(static_cast<double>(a[i * D + d]) - b[j * D + d], 2);
    return sum;
  };
  double count = 0;
  for (std::size_t i = 0; i < x.size() / D; ++i) {
    bool found = false;
    for (std::size_t j = 0; j < centres.size() / D && !found; ++j) {
      std::vector<double> own;
      for (std::size_t l = 0; l < centres.size() / D; ++l)
        if (l != j) own.push_back(distance(centres, j, centres, l));
      std::sort(own.begin(), own.end());
      found = distance(x, i, centres, j) <= own[k - 1];
    }
    count += found;
  }
  return count / static_cast<double>(x.size() / D);
}

}  // namespace

TEST_CASE("precision and recall on a line") {
  // Balls of the first neighbour: 0, 1 and 3 reach 1, 1 and 2; 2 and 10 reach 8.
  const std::vector<float> real = {0, 1, 3}, made = {2, 10};
  const auto r = ul::precision_recall(real, made, 1, {.neighbours = 1});
  CHECK(r.precision == Approx(1. / 2));  // 2 is within 1 of 1; 10 is 7 from 3
  CHECK(r.recall == 1);                  // all within 8 of 2

  // A border belongs to the ball; just beyond does not.
  CHECK(ul::precision_recall(real, std::vector<float>{5, 5.001f}, 1, {.neighbours = 1}).precision == 0.5);
  CHECK(ul::precision_recall(real, std::vector<float>{-1, -1.001f}, 1, {.neighbours = 1}).precision == 0.5);
}

TEST_CASE("precision and recall of known mixtures") {
  const auto real = normal(500 * 4, 1);
  const auto itself = ul::precision_recall(real, real, 4);
  CHECK(itself.precision == 1);
  CHECK(itself.recall == 1);

  auto far = normal(500 * 4, 2);
  for (float& v : far) v += 100;
  const auto apart = ul::precision_recall(real, far, 4);
  CHECK(apart.precision == 0);
  CHECK(apart.recall == 0);

  // A quarter of what is made is real, the rest far off; it covers the real set nevertheless.
  auto mixed = real;
  for (int i = 0; i < 3; ++i) mixed.insert(mixed.end(), far.begin(), far.end());
  const auto quarter = ul::precision_recall(real, mixed, 4);
  CHECK(quarter.precision == 0.25);
  CHECK(quarter.recall == 1);

  // One mode of two: all of it good, half of the real set missing.
  auto modes = real;
  modes.insert(modes.end(), far.begin(), far.end());
  const auto half = ul::precision_recall(modes, real, 4);
  CHECK(half.precision == 1);
  CHECK(half.recall == 0.5);
}

TEST_CASE("precision and recall by the definition, for sizes that fill no block") {
  const auto real = normal(131 * 5, 3);
  auto made = normal(70 * 5, 4);
  for (float& v : made) v = 0.7f * v + 0.4f;
  for (const extent k : {1, 3, 7}) {
    const auto r = ul::precision_recall(real, made, 5, {.neighbours = k});
    CHECK(r.precision == inside(made, real, 5, static_cast<std::size_t>(k)));
    CHECK(r.recall == inside(real, made, 5, static_cast<std::size_t>(k)));
    CHECK(r.recall < 1);
  }
}

TEST_CASE("misuse of precision and recall") {
  const std::vector<float> x = {1, 2, 3, 4}, eight(8);
  CHECK_THROWS_WITH(ul::precision_recall(x, eight, 1, {.neighbours = 4}),
                    "precision_recall: real has 4 samples, expected more than 4 neighbours");
  CHECK_THROWS_WITH(ul::precision_recall(eight, x, 2),
                    "precision_recall: made has 2 samples, expected more than 3 neighbours");
  CHECK_THROWS_WITH(ul::precision_recall(x, eight, 3),
                    "precision_recall: real has 4 values, expected a multiple of 3 features");
  CHECK_THROWS_WITH(ul::precision_recall(x, x, 0), "precision_recall: 0 features, expected at least 1");
  CHECK_THROWS_WITH(ul::precision_recall(x, x, 1, {.neighbours = 0}),
                    "precision_recall: 0 neighbours, expected at least 1");
  const std::vector<float> bad = {1, 2, 3, std::numeric_limits<float>::infinity()};
  CHECK_THROWS_WITH(ul::precision_recall(x, bad, 1), "precision_recall: made has a value of inf");
}

TEST_CASE("nats per image as bits per pixel") {
  ul::sample_mean nats;
  for (const double bits : {100., 200., 300.}) nats.add(bits * ul::nats_per_bit);
  const ul::measurement e = ul::bits_per(nats, 784);
  CHECK(e.value == Approx(200. / 784).epsilon(1e-15));
  CHECK(e.standard_error == Approx(100 / std::sqrt(3.) / 784).epsilon(1e-14));
  CHECK_THROWS_WITH(ul::bits_per(nats, 0), "bits_per: count is 0, expected at least 1");
  CHECK_THROWS_WITH(ul::bits_per({}, 1), "bits_per: the mean is of no image");
}
