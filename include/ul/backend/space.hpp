#pragma once
// The index space every map and fold runs over, and the operands that walk it. Three axes are enough for tensors with
// channels last: outer is the sample, mid the position within it, inner the channel. An operand has one stride for each
// axis, so that a full tensor, a bias for each channel, a coefficient for each sample or a vector for each sample all
// broadcast by a stride of zero.

#include <ul/core/checked.hpp>

namespace ul {

struct space {
  extent outer = 1, mid = 1, inner = 1;

  constexpr extent size() const { return outer * mid * inner; }
};

// Element (o, m, i) stands at data[o * outer + m * mid + i * inner]. The inner stride is 0 or 1.
template <class T>
struct operand {
  T* data = nullptr;
  extent outer = 0, mid = 0, inner = 0;
};

// One element for each point of the space, densely.
template <class T>
constexpr operand<T> dense(T* data, const space& s) {
  return {data, s.mid * s.inner, s.inner, 1};
}

// One element for each channel.
template <class T>
constexpr operand<T> per_channel(T* data) {
  return {data, 0, 0, 1};
}

// One element for each sample.
template <class T>
constexpr operand<T> per_sample(T* data) {
  return {data, 1, 0, 0};
}

// One element for each sample and channel.
template <class T>
constexpr operand<T> per_sample_channel(T* data, const space& s) {
  return {data, s.inner, 0, 1};
}

// Whether a fold replaces what its output holds or adds to it.
enum class store_mode { replace, add };

// Joins neighbouring axes that all operands walk in one stride, so that the inner loop is as long as it can be.
// Extents and strides keep their meaning; (1, 1, n) is what a plain element-wise map becomes.
template <class... T>
constexpr space collapse(space s, operand<T>&... x) {
  const auto inner_joins = [&] { return ((s.mid == 1 || x.mid == x.inner * s.inner) && ...); };
  const auto outer_joins = [&] { return ((s.outer == 1 || x.outer == x.mid * s.mid) && ...); };
  if (s.inner == 1 && ((x.mid == 0 || x.mid == 1) && ...)) {
    s = {s.outer, 1, s.mid};
    ((x.inner = x.mid, x.mid = 0), ...);
  } else if (inner_joins()) {
    s = {s.outer, 1, s.mid * s.inner};
    ((x.mid = 0), ...);
  }
  if (s.mid == 1) {
    s = {1, s.outer, s.inner};
    ((x.mid = x.outer, x.outer = 0), ...);
    if (inner_joins()) s = {1, 1, s.mid * s.inner};
  } else if (outer_joins()) {
    s = {1, s.outer * s.mid, s.inner};
  }
  return s;
}

}  // namespace ul
