#pragma once
// What the loader may do to an item on its way: a functor of the item's values (H, W, C) and a key that is a pure
// function of the run's key and the position, so that augmentation continues exactly after a resume.

#include <algorithm>

#include <ul/core/extents.hpp>
#include <ul/core/key.hpp>

namespace ul {

// Nothing.
struct as_is {
  void operator()(float*, const extents&, key) const {}
};

// Mirrors every other item, left for right, by chance.
struct random_flip {
  void operator()(float* item, const extents& shape, key k) const {
    if (k.block(0).word[0] & 1) flip(item, shape);
  }

  static void flip(float* item, const extents& shape) {
    const extent width = shape[1], channels = shape[2];
    for (float* row = item; row != item + shape.size(); row += width * channels) {
      for (extent x = 0; x < width / 2; ++x) {
        std::swap_ranges(row + x * channels, row + (x + 1) * channels, row + (width - 1 - x) * channels);
      }
    }
  }
};

}  // namespace ul
