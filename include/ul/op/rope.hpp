#pragma once
// Rotary positions: x (B, N, heads * D), angles (N, D / 2) in radians -> the same extents. In every head the channels
// (2 i, 2 i + 1) of token n are turned by angles[n, i]. Su et al. 2021, equation 34. The angles of a token on a grid
// are those of its row and then those of its column, as the caller lays them out.

#include <cmath>

#include <ul/op/op.hpp>

namespace ul {

namespace detail {

template <class T>
struct rotated_token {
  extent tokens, heads, pairs;
  double sign;  // -1 turns back
  const T* x;
  const compute_t<T>* angles;
  T* y;
  store_mode mode;
  UL_HD void operator()(extent row) const {
    const extent first = row * heads * pairs * 2;
    for (extent i = 0; i < pairs; ++i) {
      const double angle = sign * static_cast<double>(angles[row % tokens * pairs + i]);
      const auto c = static_cast<compute_t<T>>(std::cos(angle)), s = static_cast<compute_t<T>>(std::sin(angle));
      for (extent h = 0; h < heads; ++h) {
        const extent at = first + 2 * (h * pairs + i);
        const auto a = static_cast<compute_t<T>>(x[at]), b = static_cast<compute_t<T>>(x[at + 1]);
        store(y[at], a * c - b * s, mode);
        store(y[at + 1], a * s + b * c, mode);
      }
    }
  }
};

}  // namespace detail

namespace op {

struct rope {
  static constexpr const char* name = "rope";
  extent heads = 1;

  template <backend B, element T>
  using saved = tensor<B, compute_t<T>>;  // angles

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, compute_t<T>>* keep, const tensor<B, T>& x,
                       const tensor<B, compute_t<T>>& angles) const {
    if (x.rank() != 3) fail(name, ": x is ", x.shape(), ", expected (B, N, heads * D)");
    const extent C = x.shape()[2];
    if (heads < 1 || C % (2 * heads) != 0)
      fail(name, ": ", C, " channels do not divide into pairs in ", heads, " heads");
    const extents wanted{x.shape()[1], C / heads / 2};
    if (angles.shape() != wanted) fail(name, ": angles are ", angles.shape(), ", expected ", wanted);
    if (keep) *keep = angles;
    tensor<B, T> y(x.device(), x.shape());
    turn(x, angles, 1, y.data(), store_mode::replace);
    return y;
  }

  template <backend B, element T>
  void adjoint(const tensor<B, compute_t<T>>& angles, const tensor<B, T>& dy, gradient<B, T>& dx,
               gradient<B, compute_t<T>>&) const {
    if (const auto d = dx.into(dy.device(), dy.shape()); d.data) turn(dy, angles, -1, d.data, d.mode);
  }

 private:
  template <backend B, element T>
  void turn(const tensor<B, T>& x, const tensor<B, compute_t<T>>& angles, double sign, T* y, store_mode mode) const {
    const extent N = x.shape()[1], pairs = angles.shape()[1];
    x.device().for_each(x.shape()[0] * N, pairs * (40 + 8 * heads),
                        detail::rotated_token<T>{N, heads, pairs, sign, x.data(), angles.data(), y, mode});
  }
};

}  // namespace op

// rope(x, angles, {.heads = 6}); no gradient flows to the angles.
template <tensor_like X, tensor_like A>
auto rope(const X& x, const A& angles, const op::rope& settings) {
  return apply(settings, x, angles);
}

}  // namespace ul
