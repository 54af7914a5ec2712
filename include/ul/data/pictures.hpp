#pragma once
// Items of a data set as one tensor on a device.

#include <ul/data/data_set.hpp>
#include <ul/tensor/create.hpp>

namespace ul {

// Values on the host -> a tensor of elements T. Throws ul::error when their number is not that of the shape.
template <element T = float, backend B>
tensor<B, T> tensor_of(B& device, const extents& shape, std::span<const float> values) {
  const auto x = from_host<float>(device, shape, values);
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else {
    return cast<T>(x);
  }
}

// Items first ... first + count - 1 -> (count, H, W, C), values in [-1, 1]. Throws ul::error when they do not exist.
template <element T = float, backend B, data_set S>
tensor<B, T> pictures_of(B& device, const S& set, extent first, extent count) {
  const extents item = set.extents();
  std::vector<float> values(static_cast<std::size_t>(checked_mul(count, item.size(), "pictures_of")));
  for (extent i = 0; i < count; ++i) set.read(first + i, values.data() + i * item.size());
  return tensor_of<T>(device, {count, item[0], item[1], item[2]}, values);
}

}  // namespace ul
