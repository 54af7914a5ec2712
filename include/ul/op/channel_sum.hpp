#pragma once
// Weighted sums of the channels of several positions, in the body of a for_each.

#include <ul/op/mapped.hpp>

namespace ul::detail {

// A run of at most `width` neighbouring channels; full runs have loops of constant length, which compilers vectorise.
template <class T>
class channel_sum {
 public:
  static constexpr extent width = 16;
  UL_HD static extent run(extent first, extent channels) { return channels - first < width ? channels - first : width; }

  UL_HD void add(const T* x, extent count, compute_t<T> weight) {
    if (count == width)
      for (extent i = 0; i < width; ++i) sum_[i] += weight * static_cast<compute_t<T>>(x[i]);
    else
      for (extent i = 0; i < count; ++i) sum_[i] += weight * static_cast<compute_t<T>>(x[i]);
  }
  UL_HD void put(T* to, extent count, store_mode mode) const {
    for (extent i = 0; i < count; ++i) store(to[i], sum_[i], mode);
  }

 private:
  compute_t<T> sum_[width] = {};
};

}  // namespace ul::detail
