#pragma once
// Items of a data set as one tensor on a device.

#include <ul/data/data_set.hpp>
#include <ul/tensor/create.hpp>

namespace ul {

// Items first ... first + count - 1 -> (count, H, W, C), values in [-1, 1]. Throws ul::error when they do not exist.
template <element T = float, backend B, data_set S>
tensor<B, T> pictures_of(B& device, const S& set, extent first, extent count) {
  const extents item = set.extents();
  std::vector<float> values(static_cast<std::size_t>(checked_mul(count, item.size(), "pictures_of")));
  for (extent i = 0; i < count; ++i) set.read(first + i, values.data() + i * item.size());
  const auto host = from_host<float>(device, {count, item[0], item[1], item[2]}, values);
  if constexpr (std::is_same_v<T, float>) return host;
  return cast<T>(host);
}

}  // namespace ul
