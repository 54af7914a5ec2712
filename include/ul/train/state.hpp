#pragma once
// What a checkpoint stores of an optimiser or an average: named flat buffers beside a counter.

#include <array>

#include <ul/tensor/tensor.hpp>

namespace ul {

template <backend B, element T>
struct flat_state {
  const char* name;
  tensor<B, T> values;  // (flat_size), shared with the owner: what is written into it is restored
};
template <backend B, element T, std::size_t Count>
using flat_states = std::array<flat_state<B, T>, Count>;

namespace detail {
inline extent valid_count(const char* name, extent count) {
  if (count < 0) fail(name, ": resumed at ", count, " updates, expected at least 0");
  return count;
}
}  // namespace detail

}  // namespace ul
