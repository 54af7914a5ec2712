#pragma once
// What the bodies of ops share: maps into new tensors or onto a gradient, and the spaces of tensors.

#include <ul/tensor/create.hpp>

namespace ul::detail {

struct plus {
  template <class V>
  UL_HD V operator()(V a, V b) const {
    return a + b;
  }
};
struct product {
  template <class V>
  UL_HD V operator()(V a, V b) const {
    return a * b;
  }
};

struct scaled {
  double scale;
  template <class V>
  UL_HD V operator()(V x) const {
    return constant<V>(scale) * x;
  }
};

// f(in...) added to what the output held.
template <class F>
struct added {
  F f;
  template <class V, class... In>
  UL_HD V operator()(V old, In... in) const {
    return old + f(in...);
  }
};

// The same for one element, in the body of a for_each.
template <class T>
UL_HD void store(T& to, compute_t<T> value, store_mode mode) {
  to = static_cast<T>(mode == store_mode::add ? static_cast<compute_t<T>>(to) + value : value);
}

// All elements in a row.
template <backend B, element T>
space flat(const tensor<B, T>& x) {
  return {1, 1, x.size()};
}

// (sample, position, channel) of x (B, ..., C); a tensor of rank 1 is one sample, a scalar one channel.
inline space samples(const extents& shape) {
  const extent rank = shape.rank();
  if (rank == 0) return {1, 1, 1};
  return {rank > 1 ? shape[0] : 1, shape.product(1, rank - 1), shape[-1]};
}

template <backend B, element T>
operand<const T> input(const tensor<B, T>& x, const space& s) {
  return dense<const T>(x.data(), s);
}

// out (=, +=) f(in...)
template <backend B, class F, class T, class... In>
void map_into(B& device, const space& s, F f, operand<T> out, store_mode mode, operand<In>... in) {
  if (s.size() == 0) return;
  if (mode == store_mode::replace)
    device.map(s, f, out, in...);
  else
    device.map(s, added<F>{f}, out, operand<const T>{out.data, out.outer, out.mid, out.inner}, in...);
}

// A new tensor, f(in...) at every point of a space whose points are its elements.
template <element T, backend B, class F, class... In>
tensor<B, T> mapped(B& device, const extents& shape, const space& s, F f, operand<In>... in) {
  tensor<B, T> y(device, shape);
  if (s.size() != 0) device.map(s, f, dense(y.data(), s), in...);
  return y;
}

}  // namespace ul::detail
