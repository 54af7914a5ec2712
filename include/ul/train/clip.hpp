#pragma once
// Clipping by the global norm of the gradient.

#include <cmath>

#include <ul/grad/parameters.hpp>

namespace ul {

namespace detail {
struct scaled_square {
  double scale;
  template <class V>
  UL_HD V operator()(V x) const {
    const V y = constant<V>(scale) * x;
    return y * y;
  }
};
}  // namespace detail

// The Euclidean norm of all elements of a tensor, summed in double in a fixed order. Infinite or NaN if and only if an
// element is (or the norm exceeds double's range): the squares of large finite floats overflow, so then it is taken
// again, scaled down.
template <backend B, element T>
double norm(const tensor<B, T>& x) {
  if (x.size() == 0) return 0;
  B& device = x.device();
  const scratch<B, double> sum(device, 1);
  const auto root_of_sum = [&](double scale) {
    const space s{1, x.size(), 1};
    device.fold(s, detail::scaled_square{scale}, sum.data(), store_mode::replace, dense<const T>(x.data(), s));
    double total;
    device.download(&total, sum.data(), sizeof total);
    return std::sqrt(total) / scale;
  };
  const double plain = root_of_sum(1);
  constexpr double safe = std::is_same_v<compute_t<T>, double> ? 0x1p-600 : 0x1p-80;
  return std::isfinite(plain) ? plain : root_of_sum(safe);
}

// The norm of the gradients of all parameters. Throws ul::error when there are none.
template <backend B, element T>
double gradient_norm(const parameters<B, T>& p) {
  if (!p.gradient())
    fail("gradient_norm: the parameters keep no gradient, call zero_gradient() before the backward pass");
  return norm(p.gradient());
}

// What to multiply the gradient by so that its norm is at most `limit`: min(1, limit / norm).
// Throws ul::error for limit <= 0.
inline double clip_scale(double norm, double limit) {
  if (!(limit > 0)) fail("clip_scale: limit is ", limit, ", expected above 0");
  return norm > limit ? limit / norm : 1;
}

}  // namespace ul
