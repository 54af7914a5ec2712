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

// A random word as u = 2^exponent (1 - rest / 2) in (0, 1), with the second factor between sqrt(1/2) and sqrt(2).
template <class V>
struct split_uniform {
  V exponent, rest;
};

// Two independent standard normals from two random words, of 32 bits for floats or of 64 bits for doubles: their
// distance from 0 by one word, their direction by the other. U may be a SIMD pack of words (see bits.hpp for what it
// must bring). normal_from does it at once; the steps that it is made of come before it, for loops of their own.

// u = (word + 1/2) / 2^width, rounded once; width: 32 or 64. u is never 0.
template <class U>
UL_HD auto uniform_of_radius(U word) {
  using V = decltype(to_number(word));
  using W = value_t<U>;
  constexpr bool narrow = detail::narrow<U>;
  constexpr int width = narrow ? 32 : 64, tail = narrow ? 8 : 12, fraction = narrow ? 23 : 52;
  constexpr double unit = narrow ? 0x1p23 : 0x1p52;  // the last place of it and of the next numbers is 1
  constexpr W root_half = narrow ? W{0x3f3504f3u} : static_cast<W>(0x3fe6a09e667f3bcdu);

  // x = 2^width u = 2^(e + width) m with m in [sqrt(1/2), sqrt(2)). The exponent of `above`, as a number with a sign,
  // is e; x without it is 2^width m.
  const V low = from_bits((word & U((W{1} << tail) - 1)) | bits_of(constant<V>(unit))) - constant<V>(unit - 0.5);
  const V x = fma(to_number(shift_right(word, tail)), constant<V>(narrow ? 0x1p8 : 0x1p12), low);
  const U above = bits_of(x) - U(root_half + (W{width} << fraction));
  const V scaled = from_bits(bits_of(x) - (above & U(~W{0} << fraction)));
  return split_uniform<V>{signed_from_bit(above, fraction),
                          fma(scaled, constant<V>(narrow ? -0x1p-31 : -0x1p-63), constant<V>(2))};
}

// -2 ln u = -2 ln 2 e + g + g^2 q(g) with exponent e and rest g, and ln 2 in two parts; relative error of the
// approximation 2^-27.9 and 2^-59.4.
template <class V>
UL_HD V square_of_radius(split_uniform<V> u) {
  const V e = u.exponent, g = u.rest;
  if constexpr (detail::narrow<V>) {
    const V q = horner(g, 0.00014886259271233894, 0.0005040790213903081, 0.0010346084428037561, 0.0022159104652126386,
                       0.005190338381157829, 0.012501233647394548, 0.03125197868101243, 0.08333331423324516,
                       0.24999994173295761);
    const V rest = fma(g * g, q, e * constant<V>(-0x1.7f7d1cp-19));
    return fma(e, constant<V>(-0x1.62e4p0), g) + rest;
  } else {
    const V q =
        horner(g, 1.1554644867965082e-08, 5.4351172870584616e-08, 1.1987544148898467e-07, 2.0673255886689067e-07,
               4.0618013258777904e-07, 8.874801283694982e-07, 1.9134867967467895e-06, 4.074359801423646e-06,
               8.71825220571058e-06, 1.8778534207369813e-05, 4.069015907577559e-05, 8.877866216045922e-05,
               0.00019531250979388994, 0.00043402775257682423, 0.0009765624982274503, 0.002232142858563371,
               0.005208333333439716, 0.012499999999960357, 0.031249999999997596, 0.08333333333333372, 0.25);
    const V rest = fma(g * g, q, e * constant<V>(-0x1.bcd5e4f1d9ccp-46));
    return fma(e, constant<V>(-0x1.62e42fefa398p0), g) + rest;
  }
}

// The word is an angle as a fraction of a turn, up to less than 2^-25 or 2^-53 turns: the middle of a cell, so that the
// four quarters are exact mirror images and no cosine or sine is 0. It is some quarters of a turn and x eighths, with x
// between -1 and 1; this is x, exactly.
template <class U>
UL_HD auto eighths_of_angle(U word) {
  using V = decltype(to_number(word));
  constexpr bool narrow = detail::narrow<U>;
  const V cell = signed_from_bit(shift_left(word, 2), narrow ? 8 : 12);  // its lower end, in 2^-23 or 2^-51 eighths
  return fma(cell, constant<V>(narrow ? 0x1p-23 : 0x1p-51), constant<V>(narrow ? 0x1p-24 : 0x1p-52));
}

// The normals at that distance, squared, and that angle, given both as a word and as its eighths.
template <class V, class U>
UL_HD normal_pair<V> normal_from_parts(V square, U word, V x) {
  using W = value_t<U>;
  constexpr bool narrow = detail::narrow<U>;

  // sin(pi/4 x) / x and cos(pi/4 x) in x^2; relative errors 2^-28 and 2^-34, 2^-68 and 2^-75.
  const V x2 = x * x;
  V s, c;
  if constexpr (narrow) {
    s = x * horner(x2, -0.000035950452243842150, 0.0024900010240167711, -0.080745432529150581, 0.78539816085417218);
    c = horner(x2, 3.5287616225841462e-6, -0.00032593650043391168, 0.015854323912254312, -0.30842513489119096, 1.0);
  } else {
    s = x * horner(x2, -2.0225313929842596e-14, 6.9481520383928500e-12, -1.7572474176214121e-9, 3.1336168891732809e-7,
                   -0.000036576204182146401, 0.0024903945701927163, -0.080745512188280782, 0.78539816339744831);
    c = horner(x2, 9.9275039438173779e-16, -3.8979002630718462e-13, 1.1501157359372751e-10, -2.4611369494376513e-8,
               3.5908604485877935e-6, -0.00032599188692738928, 0.015854344243815501, -0.30842513753404246, 1.0);
  }

  // A quarter turn on, (c, s) is (-s, c); half a turn changes both signs.
  constexpr int width = narrow ? 32 : 64, odd = width - 2;
  const U turned = word + U(W{1} << (width - 3)), sign(W{1} << (width - 1));
  const V radius = from_bits(bits_of(sqrt(square)) ^ (turned & sign)), zero = constant<V>(0);
  const V cosine = select_by_bit(turned, odd, from_bits(bits_of(s) ^ sign), c), sine = select_by_bit(turned, odd, c, s);

  // fma with zero is the product, but a caller's addition cannot be fused into it.
  return {fma(radius, cosine, zero), fma(radius, sine, zero)};
}

template <class U>
UL_HD auto normal_from(U radius_word, U angle_word) {
  return normal_from_parts(square_of_radius(uniform_of_radius(radius_word)), angle_word, eighths_of_angle(angle_word));
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
