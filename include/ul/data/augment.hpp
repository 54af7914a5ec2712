#pragma once
// What the loader may do to an item on its way: a functor of the item's values (H, W, C) and a key that is a pure
// function of the run's key and the position, so that augmentation continues exactly after a resume.

#include <algorithm>
#include <vector>

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

// Moves each item by up to `reach` positions, along either axis by chance; what comes in from beyond is `beyond`.
struct random_shift {
  extent reach = 2;
  float beyond = -1;

  void operator()(float* item, const extents& shape, key k) const {
    const auto drawn = [&](std::size_t word) {
      return static_cast<extent>(k.block(0).word[word] % static_cast<std::uint64_t>(2 * reach + 1)) - reach;
    };
    shift(item, shape, drawn(0), drawn(1));
  }

  // Down and to the right by so many positions, either of which may be negative.
  void shift(float* item, const extents& shape, extent down, extent right) const {
    const extent height = shape[0], width = shape[1], channels = shape[2];
    const std::vector<float> from(item, item + shape.size());
    for (extent y = 0; y < height; ++y) {
      for (extent x = 0; x < width; ++x, item += channels) {
        const extent v = y - down, u = x - right;
        if (v >= 0 && v < height && u >= 0 && u < width) {
          std::copy_n(from.data() + (v * width + u) * channels, channels, item);
        } else {
          std::fill_n(item, channels, beyond);
        }
      }
    }
  }
};

}  // namespace ul
