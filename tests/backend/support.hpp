#pragma once
// Noise, and comparisons, for the tests of backends.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <ul/backend/concept.hpp>
#include <ul/core/normal.hpp>

template <class T>
std::vector<T> noise(ul::extent n, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(ul::normal_at<ul::compute_t<T>>(ul::key(seed), i));
  return x;
}

template <class T>
double wide(T x) {
  return static_cast<double>(static_cast<ul::compute_t<T>>(x));
}

// Over all elements; a NaN anywhere is infinitely far.
template <class T>
double largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(wide(a[i]) - wide(b[i]));
    most = d <= most ? most : std::isnan(d) ? 1e300 : d;
  }
  return most;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}
