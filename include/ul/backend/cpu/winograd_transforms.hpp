#pragma once
// The one-dimensional transforms of F(4, 3), four outputs of a three-tap filter from six products, by polynomial
// interpolation at 0, 1, -1, 2, -2 and infinity; and of F(3, 4), the gradient of the filter from that of four outputs.
// Lavin & Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, section 4.3. In two dimensions each is
// applied along both axes.

#include <ul/backend/cpu/pack.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Six inputs, to where they are multiplied.
template <class V>
UL_INLINE void transform_input(const V (&d)[6], V (&to)[6]) {
  const V two = constant<V>(2), four = constant<V>(4), five = constant<V>(5);
  const V even = d[4] - d[2], odd = two * (d[3] - d[1]);
  to[0] = muladd(four, d[0], muladd(-five, d[2], d[4]));
  to[1] = muladd(-four, d[1] + d[2], d[3] + d[4]);
  to[2] = muladd(four, d[1] - d[2], d[4] - d[3]);
  to[3] = even + odd;
  to[4] = even - odd;
  to[5] = muladd(four, d[1], muladd(-five, d[3], d[5]));
}

// Three filter taps, to where they are multiplied.
template <class V>
UL_INLINE void transform_filter(const V (&g)[3], V (&to)[6]) {
  const V sixth = constant<V>(-1.0 / 6), small = constant<V>(1.0 / 24), middle = constant<V>(1.0 / 12);
  const V ends = sixth * (g[0] + g[2]), far = muladd(small, g[0], constant<V>(1.0 / 6) * g[2]);
  to[0] = constant<V>(0.25) * g[0];
  to[1] = muladd(sixth, g[1], ends);
  to[2] = muladd(-sixth, g[1], ends);
  to[3] = muladd(middle, g[1], far);
  to[4] = muladd(-middle, g[1], far);
  to[5] = g[2];
}

// Six products, to four outputs.
template <class V>
UL_INLINE void transform_output(const V (&m)[6], V (&to)[4]) {
  const V sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  to[0] = m[0] + sum1 + sum2;
  to[1] = muladd(constant<V>(2), difference2, difference1);
  to[2] = muladd(constant<V>(4), sum2, sum1);
  to[3] = muladd(constant<V>(8), difference2, difference1) + m[5];
}

// F(3, 4): four gradients of outputs, to where they are multiplied.
template <class V>
UL_INLINE void transform_gradient(const V (&g)[4], V (&to)[6]) {
  const V sixth = constant<V>(-1.0 / 6), small = constant<V>(1.0 / 24);
  const V even = sixth * (g[0] + g[2]), odd = sixth * (g[1] + g[3]);
  const V far_even = small * muladd(constant<V>(4), g[2], g[0]), far_odd = small * muladd(constant<V>(4), g[3], g[1]);
  to[0] = constant<V>(0.25) * g[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = muladd(constant<V>(2), far_odd, far_even);
  to[4] = muladd(constant<V>(-2), far_odd, far_even);
  to[5] = g[3];
}

// F(3, 4): six products, to the gradients of three taps.
template <class V>
UL_INLINE void transform_taps(const V (&m)[6], V (&to)[3]) {
  const V sum1 = m[1] + m[2], sum2 = m[3] + m[4];
  to[0] = m[0] + sum1 + sum2;
  to[1] = muladd(constant<V>(2), m[3] - m[4], m[1] - m[2]);
  to[2] = muladd(constant<V>(4), sum2, sum1) + m[5];
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
