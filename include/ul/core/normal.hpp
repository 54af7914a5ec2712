#pragma once
// Standard normal numbers, the same bits on every machine: Box and Muller, Annals of Mathematical Statistics 29, 1958,
// with minimax polynomials of our own. Only integer operations, exact conversions, +, -, *, fma and sqrt are used, each
// correctly rounded everywhere, and no product is an operand of a plain + or -, so that no compiler may fuse one.
//
// Layout. Float i of a stream comes from Philox block i / 4, lane i % 4: words 0 and 1 make lanes 0 and 1, words 2 and
// 3 make lanes 2 and 3. Double i comes from block i / 2, lane i % 2, whose 64-bit words are words (0, 1) and (2, 3),
// low half first. Magnitudes reach 6.76 (float) and 9.49 (double), errors stay below 4 units in the last place.

#include <cstdint>

#include <ul/core/checked.hpp>
#include <ul/core/math.hpp>
#include <ul/core/uniform.hpp>

namespace ul {

template <class V>
struct normal_pair {
  V first, second;
};

namespace detail {

// -2 ln u for u = (word + 1/2) / 2^width, rounded once; U: words of 32 or 64 bits. u is never 0.
template <class U>
UL_HD auto negative_2_log(U word) {
  using V = decltype(to_number(word));
  using W = value_t<U>;
  constexpr int width = narrow<U> ? 32 : 64, tail = narrow<U> ? 8 : 12, fraction = narrow<U> ? 23 : 52;
  constexpr W root_half = narrow<U> ? W{0x3f3504f3u} : static_cast<W>(0x3fe6a09e667f3bcdu);

  // x = 2^width u = 2^e m with m in [sqrt(1/2), sqrt(2)); `biased` is e + 1, never negative since x >= 1/2.
  const V low = to_number(word & U((W{1} << tail) - 1)) + constant<V>(0.5);
  const V x = fma(to_number(shift_right(word, tail)), constant<V>(narrow<U> ? 0x1p8 : 0x1p12), low);
  const U shifted = bits_of(x) + U(W{1} << fraction);
  const U biased = shift_right(shifted - U(root_half), fraction);
  const V f = from_bits(shifted - shift_left(biased, fraction)) - constant<V>(1);
  const V e = to_number(biased) - constant<V>(width + 1);

  // ln u = e ln 2 + f + f^2 p(f), ln 2 in two parts; relative error of the approximation 2^-27.9 and 2^-59.4.
  if constexpr (narrow<U>) {
    const V p = horner(f, -0.076217647468717541, 0.12904422947591888, -0.13242988067888079, 0.14181826977360888,
                       -0.16609082819705053, 0.20001973835831277, -0.25001582944809940, 0.33333325693298064,
                       -0.49999988346591523);
    const V rest = fma(f * f, p, e * constant<V>(0x1.7f7d1cp-20));
    return constant<V>(-2) * (fma(e, constant<V>(0x1.62e4p-1), f) + rest);
  } else {
    const V p = horner(f, -0.024231846594142710, 0.056991335443946137, -0.062849255467376802, 0.054193699911602189,
                       -0.053238842338545377, 0.058161897692823436, -0.062701135355798803, 0.066754310986525014,
                       -0.071419922069181069, 0.076916876113386758, -0.083333445787188410, 0.090909350052310242,
                       -0.10000000501447165, 0.11111110465966700, -0.12499999977311365, 0.14285714294805575,
                       -0.16666666667007092, 0.19999999999936570, -0.24999999999998076, 0.33333333333333488,
                       -0.50000000000000003);
    const V rest = fma(f * f, p, e * constant<V>(0x1.bcd5e4f1d9ccp-47));
    return constant<V>(-2) * (fma(e, constant<V>(0x1.62e42fefa398p-1), f) + rest);
  }
}

// (cos, sin) of the angle that the word is as a fraction of a turn, up to less than 2^-25 or 2^-53 turns: the angle is
// the middle of a cell, so the four quadrants are exact mirror images and no value is 0.
template <class U>
UL_HD auto cos_sin(U word) {
  using V = decltype(to_number(word));
  using W = value_t<U>;
  constexpr int width = narrow<U> ? 32 : 64, drop = narrow<U> ? 6 : 10;

  // The angle is q quarter turns and x eighths of a turn, -1 < x < 1.
  const U turned = word + U(W{1} << (width - 3));
  const U cell = shift_right(turned & U((W{1} << (width - 2)) - 1), drop);
  const V x = fma(to_number(cell), constant<V>(narrow<U> ? 0x1p-23 : 0x1p-51),
                  constant<V>(narrow<U> ? 0x1p-24 - 1 : 0x1p-52 - 1));  // exact
  const V square = x * x;

  // sin(pi/4 x) / x and cos(pi/4 x) in x^2; relative errors 2^-28 and 2^-34, 2^-68 and 2^-75.
  V s, c;
  if constexpr (narrow<U>) {
    s = x * horner(square, -0.000035950452243842150, 0.0024900010240167711, -0.080745432529150581, 0.78539816085417218);
    c = horner(square, 3.5287616225841462e-6, -0.00032593650043391168, 0.015854323912254312, -0.30842513489119096, 1.0);
  } else {
    s = x * horner(square, -2.0225313929842596e-14, 6.9481520383928500e-12, -1.7572474176214121e-9,
                   3.1336168891732809e-7, -0.000036576204182146401, 0.0024903945701927163, -0.080745512188280782,
                   0.78539816339744831);
    c = horner(square, 9.9275039438173779e-16, -3.8979002630718462e-13, 1.1501157359372751e-10, -2.4611369494376513e-8,
               3.5908604485877935e-6, -0.00032599188692738928, 0.015854344243815501, -0.30842513753404246, 1.0);
  }

  // Odd quarters exchange the two; the cosine is negative in quarters 1 and 2, the sine in 2 and 3.
  const U odd = U(W{0}) - (shift_right(turned, width - 2) & U(W{1})), sign = U(W{1} << (width - 1));
  const U c_bits = bits_of(c), s_bits = bits_of(s), exchange = (c_bits ^ s_bits) & odd;
  const U c_sign = (turned + U(W{1} << (width - 2))) & sign, s_sign = turned & sign;
  return normal_pair<V>{from_bits(c_bits ^ exchange ^ c_sign), from_bits(s_bits ^ exchange ^ s_sign)};
}

}  // namespace detail

// Two independent standard normals from two random words, of 32 bits for floats or of 64 bits for doubles: their
// distance from 0 by one word, their direction by the other. U may be a SIMD pack of words (see bits.hpp for what it
// must bring).
template <class U>
UL_HD auto normal_radius(U radius_word) {
  return sqrt(detail::negative_2_log(radius_word));
}
template <class V, class U>
UL_HD normal_pair<V> normal_from_radius(V radius, U angle_word) {
  const auto direction = detail::cos_sin(angle_word);
  const V zero = constant<V>(0);
  // fma with zero is the product, but a caller's addition cannot be fused into it.
  return {fma(radius, direction.first, zero), fma(radius, direction.second, zero)};
}
template <class U>
UL_HD auto normal_from(U radius_word, U angle_word) {
  return normal_from_radius(normal_radius(radius_word), angle_word);
}

// Number i of the stream of k.
template <class T>
UL_HD T normal_at(key k, std::uint64_t i) {
  using stream = detail::stream<T>;
  const auto block = k.block(i / stream::per_block);
  const int lane = static_cast<int>(i % stream::per_block), even = lane & ~1;
  const auto pair = normal_from(stream::get(block, even), stream::get(block, even + 1));
  return lane == even ? pair.first : pair.second;
}

// out[0..n) = numbers first to first + n - 1 of the stream of k. The plain loop a faster kernel is checked against.
template <class T>
void fill_normal(T* out, extent n, key k, std::uint64_t first = 0) {
  for (extent i = 0; i < n; ++i) out[i] = normal_at<T>(k, first + static_cast<std::uint64_t>(i));
}

}  // namespace ul
