#pragma once
// How samplers speak to the thing they sample. A state is a number, a sequence of numbers (std::vector<double>), or any
// type for which `combine` can be called: that one function is the customisation point, found by argument-dependent
// lookup, so that a tensor or a user's type joins by overloading it in its own namespace. All schedule algebra happens
// on the host in double; states only ever see linear combinations.

#include <concepts>
#include <type_traits>

#include <ul/core/checked.hpp>

namespace ul {

namespace detail {

template <class S>
concept number_sequence = requires(S s) {
  { s.size() } -> std::convertible_to<std::size_t>;
  requires std::floating_point<std::remove_cvref_t<decltype(s[0])>>;
};
template <class S>
concept vector_space = requires(const S& s, double c) {
  { c* s + c* s } -> std::convertible_to<S>;
};

inline void check_sizes(std::size_t) {}
template <class S, class... Rest>
void check_sizes(std::size_t size, double, const S& y, const Rest&... rest) {
  if (y.size() != size) fail("combine: states have ", size, " and ", y.size(), " elements");
  check_sizes(size, rest...);
}

inline double combine_at(std::size_t) { return 0; }
template <class S, class... Rest>
double combine_at(std::size_t i, double c, const S& x, const Rest&... rest) {
  return c * static_cast<double>(x[i]) + combine_at(i, rest...);
}

}  // namespace detail

// combine(a, x, b, y, ...) = a x + b y + ... for states x, y, ... of one type and size.
template <detail::vector_space S>
S combine(double a, const S& x) {
  return S(static_cast<std::conditional_t<std::floating_point<S>, S, double>>(a) * x);
}
template <detail::vector_space S, class... Rest>
S combine(double a, const S& x, double b, const Rest&... rest) {
  return S(combine(a, x) + combine(b, rest...));
}

// Throws ul::error when sizes differ.
template <detail::number_sequence S, class... Rest>
requires(!detail::vector_space<S>) S combine(double a, const S& x, const Rest&... rest) {
  const auto size = static_cast<std::size_t>(x.size());
  detail::check_sizes(size, rest...);
  S out = x;
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::remove_cvref_t<decltype(out[0])>>(detail::combine_at(i, a, x, rest...));
  return out;
}

// A type the samplers can move.
template <class S>
concept sampler_state = std::copyable<S> && requires(const S& s) {
  { combine(1.0, s, 1.0, s) } -> std::convertible_to<S>;
};

}  // namespace ul
