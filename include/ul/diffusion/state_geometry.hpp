#pragma once
// What guidance, thresholding and likelihoods need of a state beyond linear combinations. Like `combine` these are
// customisation points: a tensor overloads them per sample of its batch. For a number or a sequence of numbers the
// whole state is one sample. States of different sizes throw ul::error.

#include <algorithm>
#include <vector>

#include <ul/core/math.hpp>
#include <ul/diffusion/state.hpp>

namespace ul {

namespace detail {

template <class S>
concept plain_state = std::floating_point<S> ||(number_sequence<S> && !vector_space<S>);

template <plain_state S>
std::size_t size_of(const S& x) {
  if constexpr (std::floating_point<S>)
    return 1;
  else
    return static_cast<std::size_t>(x.size());
}
template <plain_state S>
double entry_at(const S& x, std::size_t i) {
  if constexpr (std::floating_point<S>)
    return static_cast<double>(x);
  else
    return static_cast<double>(x[i]);
}
template <plain_state S>
void set_element(S& x, std::size_t i, double value) {
  if constexpr (std::floating_point<S>)
    x = static_cast<S>(value);
  else
    x[i] = static_cast<std::remove_cvref_t<decltype(x[i])>>(value);
}

// f of the elements of x and of the other states, one by one.
template <plain_state S, class F, class... Others>
S each_element(const char* what, F f, const S& x, const Others&... others) {
  [[maybe_unused]] const auto check_size = [&](std::size_t size) {
    if (size != size_of(x)) fail(what, ": states have ", size_of(x), " and ", size, " elements");
  };
  (check_size(size_of(others)), ...);
  S out = x;
  for (std::size_t i = 0; i < size_of(x); ++i) set_element(out, i, f(entry_at(x, i), entry_at(others, i)...));
  return out;
}

}  // namespace detail

// The inner product.
template <detail::plain_state S>
double inner(const S& x, const S& y) {
  if (detail::size_of(x) != detail::size_of(y))
    fail("inner: states have ", detail::size_of(x), " and ", detail::size_of(y), " elements");
  double sum = 0;
  for (std::size_t i = 0; i < detail::size_of(x); ++i) sum += detail::entry_at(x, i) * detail::entry_at(y, i);
  return sum;
}

// x with every element held within [low, high].
template <detail::plain_state S>
S clamped(const S& x, double low, double high) {
  return detail::each_element(
      "clamped", [=](double a) { return minimum(maximum(a, low), high); }, x);
}

// mask x + (1 - mask) y, element by element.
template <detail::plain_state S>
S blended(const S& mask, const S& x, const S& y) {
  return detail::each_element(
      "blended", [](double m, double a, double b) { return m * a + (1 - m) * b; }, mask, x, y);
}

// The part of x along y; 0 where y is 0.
template <detail::plain_state S>
S projected(const S& x, const S& y) {
  const double square = inner(y, y);
  return combine(square > 0 ? inner(x, y) / square : 0.0, y);
}

// x shortened to at most `length`.
template <detail::plain_state S>
S shortened(const S& x, double length) {
  const double norm = sqrt(inner(x, x));
  return combine(norm > length ? length / norm : 1.0, x);
}

// The standard deviation of the elements about their mean.
template <detail::plain_state S>
double deviation(const S& x) {
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(detail::size_of(x));
  for (std::size_t i = 0; i < detail::size_of(x); ++i) sum += detail::entry_at(x, i) / n;
  for (std::size_t i = 0; i < detail::size_of(x); ++i) {
    const double d = detail::entry_at(x, i) - sum;
    squares += d * d / n;
  }
  return sqrt(squares);
}

// x scaled to the deviation of y; x itself where its own is 0.
template <detail::plain_state S>
S with_deviation_of(const S& x, const S& y) {
  const double own = deviation(x);
  return combine(own > 0 ? deviation(y) / own : 1.0, x);
}

// The q-quantile of |elements|, linear between order statistics, 0 <= q <= 1.
template <detail::plain_state S>
double magnitude_quantile(const S& x, double q) {
  if (!(q >= 0 && q <= 1)) fail("magnitude_quantile: q is ", q, ", expected 0 to 1");
  std::vector<double> sizes;
  for (std::size_t i = 0; i < detail::size_of(x); ++i) sizes.push_back(abs(detail::entry_at(x, i)));
  if (sizes.empty()) fail("magnitude_quantile: the state is empty");
  std::sort(sizes.begin(), sizes.end());
  const double position = q * static_cast<double>(sizes.size() - 1), below = floor(position);
  const auto i = static_cast<std::size_t>(below);
  return i + 1 < sizes.size() ? sizes[i] + (position - below) * (sizes[i + 1] - sizes[i]) : sizes[i];
}

// Clamped to the q-quantile of its magnitudes where that exceeds `least`, and divided by it to fill [-least, least].
template <detail::plain_state S>
S thresholded(const S& x, double q, double least) {
  const double bound = maximum(magnitude_quantile(x, q), least);
  return combine(least / bound, clamped(x, -bound, bound));
}

}  // namespace ul
