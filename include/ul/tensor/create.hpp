#pragma once
// Making tensors, and carrying their elements to the host and back.

#include <span>
#include <type_traits>
#include <vector>

#include <ul/tensor/tensor.hpp>

namespace ul {

namespace detail {
template <class T>
struct constant_value {
  compute_t<T> value;
  template <class V>
  UL_HD V operator()(V) const {
    return constant<V>(static_cast<double>(value));
  }
};
// f(x) = x: a map that copies, converts or adds.
struct same {
  template <class V>
  UL_HD V operator()(V x) const {
    return x;
  }
};
}  // namespace detail

// Sets every element.
template <backend B, element T>
void fill(const tensor<B, T>& x, double value) {
  if (x.size() == 0) return;
  const space s{1, 1, x.size()};
  x.device().map(s, detail::constant_value<T>{static_cast<compute_t<T>>(value)}, dense(x.data(), s),
                 dense<const T>(x.data(), s));
}

template <element T, backend B>
tensor<B, T> full(B& device, const extents& shape, double value) {
  tensor<B, T> x(device, shape);
  fill(x, value);
  return x;
}

template <element T, backend B>
tensor<B, T> zeros(B& device, const extents& shape) {
  return full<T>(device, shape, 0);
}

// A copy with elements of its own.
template <backend B, element T>
tensor<B, T> clone(const tensor<B, T>& x) {
  tensor<B, T> y(x.device(), x.shape());
  x.device().copy(y.data(), x.data(), x.size() * extent{sizeof(T)});
  return y;
}

// From elements on the host, in row-major order. Throws ul::error when their number is not that of the shape.
template <element T, backend B>
tensor<B, T> from_host(B& device, const extents& shape, std::span<const std::type_identity_t<T>> values) {
  if (static_cast<extent>(values.size()) != shape.size())
    fail("from_host: ", values.size(), " values for ", shape, ", expected ", shape.size());
  tensor<B, T> x(device, shape);
  device.upload(x.data(), values.data(), x.size() * extent{sizeof(T)});
  return x;
}

// The elements, on the host, in row-major order.
template <backend B, element T>
std::vector<T> to_host(const tensor<B, T>& x) {
  std::vector<T> values(static_cast<std::size_t>(x.size()));
  x.device().download(values.data(), x.data(), x.size() * extent{sizeof(T)});
  return values;
}

// The single element of a tensor of size one. Throws ul::error otherwise.
template <backend B, element T>
T to_scalar(const tensor<B, T>& x) {
  if (x.size() != 1) fail("to_scalar: ", x.shape(), " has ", x.size(), " elements, expected 1");
  T value;
  x.device().download(&value, x.data(), sizeof(T));
  return value;
}

// The same values in another element type, rounded to nearest.
template <element To, backend B, element From>
tensor<B, To> cast(const tensor<B, From>& x) {
  tensor<B, To> y(x.device(), x.shape());
  const space s{1, 1, x.size()};
  if (x.size() != 0) x.device().map(s, detail::same{}, dense(y.data(), s), dense<const From>(x.data(), s));
  return y;
}

// Standard normal values from a key's stream; sample by sample when `keys` has one key for each entry of the leading
// axis, so that a sample's noise does not depend on the batch it is in.
template <element T, backend B>
tensor<B, T> normal(B& device, const extents& shape, key k) {
  tensor<B, T> x(device, shape);
  if (x.size() != 0) device.normal(x.data(), x.size(), k, 0);
  return x;
}
template <element T, backend B>
tensor<B, T> normal(B& device, const extents& shape, std::span<const key> keys) {
  if (shape.rank() == 0 || static_cast<extent>(keys.size()) != shape[0])
    fail("normal: ", keys.size(), " keys for ", shape, ", expected one for each entry of the leading axis");
  tensor<B, T> x(device, shape);
  const extent each = shape.product(1, shape.rank());
  if (x.size() == 0) return x;
  for (extent i = 0; i < shape[0]; ++i) device.normal(x.data() + i * each, each, keys[static_cast<std::size_t>(i)], 0);
  return x;
}

}  // namespace ul
