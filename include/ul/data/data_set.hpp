#pragma once
// What a data set is: a number of items of one shape, read by position, each with a label or none. A user's own type
// with these members works wherever the library's do; reading must be safe from several threads at once.

#include <concepts>

#include <ul/core/extents.hpp>

namespace ul {

// size(): the number of items. extents(): the shape (H, W, C) of each. read(i, out): writes item i there, values in
// [-1, 1], channels last.
template <class S>
concept data_set = requires(const S& set, extent i, float* out) {
  { set.size() } -> std::convertible_to<extent>;
  { set.extents() } -> std::convertible_to<extents>;
  set.read(i, out);
};

// classes(): the number of classes. label(i): the class of item i, 0 to classes() - 1.
template <class S>
concept labelled_data_set = data_set<S> && requires(const S& set, extent i) {
  { set.classes() } -> std::convertible_to<extent>;
  { set.label(i) } -> std::convertible_to<extent>;
};

// The label of item i, or -1 from a set without labels.
template <data_set S>
extent label_of(const S& set, extent i) {
  if constexpr (labelled_data_set<S>) {
    return set.classes() > 0 ? extent{set.label(i)} : -1;
  } else {
    return -1;
  }
}

namespace detail {

// Throws ul::error unless 0 <= i < size.
inline void check_item(const char* set, extent i, extent size) {
  if (i < 0 || i >= size) fail(set, ": item ", i, " does not exist, there are ", size);
}

}  // namespace detail

}  // namespace ul
