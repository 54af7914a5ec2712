#pragma once
// Tensors as the states of samplers: linear combinations with coefficients of the host, one pass over memory each.

#include <ul/diffusion/state.hpp>
#include <ul/tensor/tensor.hpp>

namespace ul {

namespace detail {

// a x + b y + ..., the coefficients in order.
template <std::size_t N>
struct linear_combination {
  double c[N];

  template <class V, class... X>
  UL_HD V operator()(V first, X... rest) const {
    V sum = constant<V>(c[0]) * first;
    std::size_t i = 1;
    ((sum = muladd(constant<V>(c[i++]), rest, sum)), ...);
    return sum;
  }
};

template <class F, class B, class T, class... X>
tensor<B, T> mapped_states(const F& f, const tensor<B, T>& x, const X&... rest) {
  tensor<B, T> y(x.device(), x.shape());
  const space s{1, 1, x.size()};
  if (x.size() != 0)
    x.device().map(s, f, dense(y.data(), s), dense<const T>(x.data(), s), dense<const T>(rest.data(), s)...);
  return y;
}

}  // namespace detail

// combine(a, x, b, y, ...) = a x + b y + ... for up to four tensors of the same extents.
// Throws ul::error when extents differ.
template <backend B, element T>
tensor<B, T> combine(double a, const tensor<B, T>& x) {
  return detail::mapped_states(detail::linear_combination<1>{{a}}, x);
}
template <backend B, element T>
tensor<B, T> combine(double a, const tensor<B, T>& x, double b, const tensor<B, T>& y) {
  if (y.shape() != x.shape()) fail("combine: states are ", x.shape(), " and ", y.shape());
  return detail::mapped_states(detail::linear_combination<2>{{a, b}}, x, y);
}
template <backend B, element T>
tensor<B, T> combine(double a, const tensor<B, T>& x, double b, const tensor<B, T>& y, double c,
                     const tensor<B, T>& z) {
  if (y.shape() != x.shape() || z.shape() != x.shape())
    fail("combine: states are ", x.shape(), ", ", y.shape(), " and ", z.shape());
  return detail::mapped_states(detail::linear_combination<3>{{a, b, c}}, x, y, z);
}
template <backend B, element T>
tensor<B, T> combine(double a, const tensor<B, T>& x, double b, const tensor<B, T>& y, double c, const tensor<B, T>& z,
                     double d, const tensor<B, T>& w) {
  if (y.shape() != x.shape() || z.shape() != x.shape() || w.shape() != x.shape())
    fail("combine: states are ", x.shape(), ", ", y.shape(), ", ", z.shape(), " and ", w.shape());
  return detail::mapped_states(detail::linear_combination<4>{{a, b, c, d}}, x, y, z, w);
}

}  // namespace ul
