#pragma once
// Pictures on the host as a picture file can hold them.

#include <algorithm>
#include <vector>

#include <ul/tensor/create.hpp>

namespace ul {

// Appends values clamped to [-1, 1].
template <backend B, element T>
void append_clamped(std::vector<float>& to, const tensor<B, T>& x) {
  for (const float value : to_host(cast<float>(x))) to.push_back(std::clamp(value, -1.0f, 1.0f));
}

}  // namespace ul
