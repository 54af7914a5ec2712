#pragma once
// Some items of a data set as a set of their own, and a fixed share of them kept out of training.

#include <algorithm>
#include <vector>

#include <ul/data/any_set.hpp>
#include <ul/data/order.hpp>

namespace ul {

class subset {
 public:
  // The items of those numbers, in that order. Throws ul::error when one does not exist.
  subset(any_set set, std::vector<extent> items) : set_(std::move(set)), items_(std::move(items)) {
    for (const extent i : items_) detail::check_item("subset", i, set_.size());
  }

  extent size() const { return static_cast<extent>(items_.size()); }
  ul::extents extents() const { return set_.extents(); }
  extent classes() const { return set_.classes(); }
  extent label(extent i) const { return set_.label(item(i)); }
  void read(extent i, float* out) const { set_.read(item(i), out); }

 private:
  extent item(extent i) const {
    detail::check_item("subset", i, size());
    return items_[static_cast<std::size_t>(i)];
  }

  any_set set_;
  std::vector<extent> items_;
};

// What a model is trained on, and what it is measured with.
struct data_split {
  any_set train, held_out;
};

// One item in ten, at most 10,000, is held out: which ones depends on the number of items alone. The order stays.
// Throws ul::error for a set of fewer than two items.
inline data_split hold_out(const any_set& set) {
  const extent size = set.size(), count = (std::min)(ceil_div(size, 10), extent{10000});
  if (size < 2) fail("hold_out: ", size, " items, expected at least 2");
  const permutation shuffled(size, key(10));
  std::vector<bool> held(static_cast<std::size_t>(size));
  for (extent i = 0; i < count; ++i) held[static_cast<std::size_t>(shuffled(i))] = true;
  std::vector<extent> items[2];
  for (extent i = 0; i < size; ++i) items[held[static_cast<std::size_t>(i)]].push_back(i);
  return {subset(set, std::move(items[0])), subset(set, std::move(items[1]))};
}

}  // namespace ul
