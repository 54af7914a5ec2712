#pragma once
// The vocabulary of element-wise code. A functor written as a template over V with these names runs on float, double
// and SIMD packs, whose namespace brings its own overloads, with comparisons that give a mask for `select`.

#include <cmath>

#include <ul/core/constant.hpp>

namespace ul {

using std::abs, std::erf, std::exp, std::expm1, std::floor, std::log, std::log1p, std::sqrt;
using std::cos, std::sin, std::tanh;

// a * b + c, rounded once, on every machine.
UL_HD inline float fma(float a, float b, float c) { return std::fma(a, b, c); }
UL_HD inline double fma(double a, double b, double c) { return std::fma(a, b, c); }

// a * b + c, fused where that is faster.
UL_HD constexpr float muladd(float a, float b, float c) { return a * b + c; }
UL_HD constexpr double muladd(double a, double b, double c) { return a * b + c; }

// The lesser and the greater; b where either is NaN, as SIMD instructions have it.
UL_HD constexpr float minimum(float a, float b) { return a < b ? a : b; }
UL_HD constexpr double minimum(double a, double b) { return a < b ? a : b; }
UL_HD constexpr float maximum(float a, float b) { return a > b ? a : b; }
UL_HD constexpr double maximum(double a, double b) { return a > b ? a : b; }

UL_HD constexpr float select(bool condition, float a, float b) { return condition ? a : b; }
UL_HD constexpr double select(bool condition, double a, double b) { return condition ? a : b; }

// Horner's rule with exact fma: horner(x, c2, c1, c0) = (c2 x + c1) x + c0.
template <class V, class... C>
UL_HD UL_INLINE V horner(V x, double leading, C... rest) {
  V sum = constant<V>(leading);
  ((sum = fma(sum, x, constant<V>(rest))), ...);
  return sum;
}

}  // namespace ul
