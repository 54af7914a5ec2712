#pragma once
// A setting with one number for each spatial axis.

#include <ul/core/extents.hpp>

namespace ul {

// From one number, which then holds for every axis, or from a list with one for each: 2 or {1, 2, 2}.
class per_axis {
 public:
  constexpr per_axis(extent all) : value_{all, all, all} {}
  constexpr per_axis(int all) : per_axis(extent{all}) {}
  per_axis(std::initializer_list<extent> each) : count_(static_cast<extent>(each.size())) {
    if (count_ < 1 || count_ > 3) fail("per_axis: ", count_, " numbers, expected 1 to 3");
    extent i = 0;
    for (const extent n : each) value_[i++] = n;
    if (count_ == 1) *this = per_axis(value_[0]);
  }

  // The number for axis i of `count`. Throws ul::error naming `what` when there are others than that many.
  extent at(extent i, extent count, const char* what) const {
    if (count_ != 0 && count_ != count) fail(what, ": ", count_, " numbers for ", count, " spatial axes");
    return value_[i];
  }

 private:
  extent value_[3] = {};
  extent count_ = 0;  // 0: the same for all
};

}  // namespace ul
