#pragma once
// What changes from one update of the weights to the next, and the update that is no more than that: gradient descent.

#include <cmath>

#include <ul/train/assign.hpp>

namespace ul {

// rate: the learning rate; gradient_scale: what the gradient is multiplied by first, such as the result of
// `clip_scale`.
struct update_options {
  double rate = 1e-3;
  double gradient_scale = 1;
};

namespace detail {

// The flat gradient an optimiser is about to use. Throws ul::error where there is none, or a number is not finite.
template <backend B, element T>
const tensor<B, master_t<T>>& usable_gradient(const char* name, const parameters<B, T>& p, const update_options& u) {
  if (!p.gradient()) fail(name, ": the parameters keep no gradient, call zero_gradient() before the backward pass");
  if (!std::isfinite(u.rate) || u.rate < 0) fail(name, ": rate is ", u.rate, ", expected a finite number >= 0");
  if (!std::isfinite(u.gradient_scale))
    fail(name, ": gradient_scale is ", u.gradient_scale, ", expected a finite number");
  return p.gradient();
}

struct descent {
  double factor;
  template <class V>
  UL_HD V operator()(V w, V g) const {
    return w - constant<V>(factor) * g;
  }
};

}  // namespace detail

// Gradient descent: value -= rate * gradient_scale * gradient. Throws ul::error when there is no gradient.
template <backend B, element T>
void descend(parameters<B, T>& p, const update_options& u) {
  const auto& g = detail::usable_gradient("descend", p, u);
  const auto& w = p.master();
  const space s = detail::flat(w);
  detail::map_into(p.device(), s, detail::descent{u.rate * u.gradient_scale}, dense(w.data(), s), store_mode::replace,
                   detail::input(w, s), detail::input(g, s));
  detail::refresh_shadow(p);
}

}  // namespace ul
