#pragma once
// How much of what a model makes is like the real thing (precision), and how much of the real thing it can make
// (recall). Source: Kynkäänniemi, Karras, Laine, Lehtinen & Aila 2019, "Improved Precision and Recall Metric for
// Assessing Generative Models", equations 1 to 3.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

struct precision_recall_options {
  extent neighbours = 3;  // a sample's ball reaches to its k-th nearest neighbour in its own set
};

struct precision_recall_result {
  double precision = 0;  // the share of the made samples that lie in some ball of a real one
  double recall = 0;     // the share of the real samples that lie in some ball of a made one
};

namespace detail {

// visit(i, j, |a_i - b_j|^2) for all i and j of a (N, D) and b (M, D). The distance of two equal rows is exactly 0, and
// that of a pair is the same either way round.
template <class Visit>
void each_squared_distance(std::span<const float> a, std::span<const float> b, extent D, Visit&& visit) {
  constexpr extent width = 64;
  const extent N = static_cast<extent>(a.size()) / D, M = static_cast<extent>(b.size()) / D;
  std::vector<float> columns(static_cast<std::size_t>(checked_mul(D, width, "precision_recall")));
  for (extent first = 0; first < M; first += width) {
    const extent count = (std::min)(width, M - first);
    for (extent j = 0; j < count; ++j)
      for (extent d = 0; d < D; ++d)
        columns[static_cast<std::size_t>(d * width + j)] = b[static_cast<std::size_t>((first + j) * D + d)];
    for (extent i = 0; i < N; ++i) {
      const float *row = a.data() + i * D, *column = columns.data();
      float sum[width] = {};
      for (extent d = 0; d < D; ++d, column += width) {
        const float x = row[d];
        for (extent j = 0; j < width; ++j) {
          const float difference = x - column[j];
          sum[j] += difference * difference;
        }
      }
      for (extent j = 0; j < count; ++j) visit(i, first + j, sum[j]);
    }
  }
}

// The squared distance of each row of x to its k-th nearest other row.
inline std::vector<float> ball_sizes(std::span<const float> x, extent D, extent k) {
  std::vector<float> nearest(x.size() / static_cast<std::size_t>(D) * static_cast<std::size_t>(k),
                             std::numeric_limits<float>::infinity());  // k for each row, in rising order
  each_squared_distance(x, x, D, [&](extent i, extent j, float distance) {
    float *own = nearest.data() + i * k, *place = own + k - 1;
    if (!(distance < *place) || i == j) return;
    for (; place != own && place[-1] > distance; --place) *place = place[-1];
    *place = distance;
  });
  std::vector<float> sizes;
  for (std::size_t last = static_cast<std::size_t>(k) - 1; last < nearest.size(); last += static_cast<std::size_t>(k))
    sizes.push_back(nearest[last]);
  return sizes;
}

// The share of the rows of x that lie in some ball around a row of `centres`.
inline double share_inside(std::span<const float> x, std::span<const float> centres, extent D, extent k) {
  const std::vector<float> sizes = ball_sizes(centres, D, k);
  std::vector<unsigned char> inside(x.size() / static_cast<std::size_t>(D));
  each_squared_distance(x, centres, D, [&](extent i, extent j, float distance) {
    if (distance <= sizes[static_cast<std::size_t>(j)]) inside[static_cast<std::size_t>(i)] = 1;
  });
  return static_cast<double>(std::count(inside.begin(), inside.end(), 1)) / static_cast<double>(inside.size());
}

inline void check_rows(const char* name, std::span<const float> x, extent D, extent k) {
  const extent values = static_cast<extent>(x.size());
  if (values % D != 0)
    fail("precision_recall: ", name, " has ", values, " values, expected a multiple of ", D, " features");
  if (values / D <= k)
    fail("precision_recall: ", name, " has ", values / D, " samples, expected more than ", k, " neighbours");
  for (const float v : x)
    if (!std::isfinite(v)) fail("precision_recall: ", name, " has a value of ", v);
}

}  // namespace detail

// Of features (N, D) of real and (M, D) of made samples. Takes time N^2 + M^2 + 2 N M times D, memory N + M.
// Throws ul::error for less than one feature or neighbour, values that make no whole samples, no more samples than
// neighbours, or values that are not finite.
inline precision_recall_result precision_recall(std::span<const float> real, std::span<const float> made,
                                                extent features, const precision_recall_options& o = {}) {
  if (features < 1) fail("precision_recall: ", features, " features, expected at least 1");
  if (o.neighbours < 1) fail("precision_recall: ", o.neighbours, " neighbours, expected at least 1");
  detail::check_rows("real", real, features, o.neighbours);
  detail::check_rows("made", made, features, o.neighbours);
  return {detail::share_inside(made, real, features, o.neighbours),
          detail::share_inside(real, made, features, o.neighbours)};
}

}  // namespace ul
