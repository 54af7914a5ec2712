#pragma once
// Checked arithmetic on counts: every product or sum of sizes that came from a caller or a file goes through here.

#include <cstddef>
#include <limits>

#include <ul/core/error.hpp>

namespace ul {

// Counts, positions and strides. Signed, so that differences are safe.
using extent = std::ptrdiff_t;

inline constexpr extent extent_max = (std::numeric_limits<extent>::max)();

// a * b for counts a, b >= 0. Throws ul::error naming `what` on overflow.
inline extent checked_mul(extent a, extent b, const char* what) {
  extent r;
  if (__builtin_mul_overflow(a, b, &r)) fail(what, ": ", a, " x ", b, " overflows");
  return r;
}

// a + b for counts a, b >= 0. Throws ul::error naming `what` on overflow.
inline extent checked_add(extent a, extent b, const char* what) {
  extent r;
  if (__builtin_add_overflow(a, b, &r)) fail(what, ": ", a, " + ", b, " overflows");
  return r;
}

// The quotient rounded up, for a >= 0 and b > 0.
constexpr extent ceil_div(extent a, extent b) { return a / b + (a % b != 0); }

// The least multiple of `step` that is >= a. Throws ul::error naming `what` on overflow.
inline extent round_up(extent a, extent step, const char* what) {
  return checked_mul(ceil_div(a, step), step, what);
}

}  // namespace ul
