#pragma once
// The activations that kernels fuse into their epilogues.

#include <ul/core/config.hpp>
#include <ul/core/activation.hpp>

namespace ul {

enum class activation { none, silu, gelu };  // gelu is the tanh form

// act(x), and its derivative at x, for a scalar or a SIMD pack.
template <class V>
UL_HD UL_INLINE V activate(activation act, V x) {
  switch (act) {
    case activation::silu: return silu(x);
    case activation::gelu: return gelu_tanh(x);
    case activation::none: break;
  }
  return x;
}
template <class V>
UL_HD UL_INLINE V activate_derivative(activation act, V x) {
  switch (act) {
    case activation::silu: return silu_derivative(x);
    case activation::gelu: return gelu_tanh_derivative(x);
    case activation::none: break;
  }
  return constant<V>(1.0);
}

}  // namespace ul
