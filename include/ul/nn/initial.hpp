#pragma once
// How a layer starts.

#include <ul/grad/initialise.hpp>

namespace ul::nn {

// standard: weight and bias uniform in +-1/sqrt(fan_in), PyTorch's default; zero: both zero, so that the branch that
// ends in this layer starts as nothing.
enum class initial { standard, zero };

inline initialiser initial_values(initial start, extent fan_in) {
  return start == initial::zero ? zeros_init : fan_in_init(fan_in);
}

}  // namespace ul::nn
