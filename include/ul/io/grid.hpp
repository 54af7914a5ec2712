#pragma once
// Many pictures as one: a contact sheet.

#include <algorithm>

#include <ul/core/extents.hpp>
#include <ul/io/image.hpp>
#include <ul/tensor/create.hpp>

namespace ul {

struct grid_options {
  extent gap = 1;                 // pixels between neighbours
  unsigned char background = 32;  // of the gaps and of cells without a picture
  extent scale = 1;               // every pixel becomes scale x scale pixels
};

// Values in [-1, 1] of shape (B, H, W, C), C = 1 or 3, row by row into cells, `columns` to a row -> one picture.
// Throws ul::error on another rank, other channels, no picture or no column.
inline image grid(const float* values, const extents& shape, extent columns, const grid_options& options = {}) {
  if (shape.rank() != 4 || shape.size() == 0) fail("grid: shape is ", shape, ", expected (B, H, W, C)");
  const extent count = shape[0], height = shape[1], width = shape[2], channels = shape[3];
  if (channels != 1 && channels != 3) fail("grid: pictures have ", channels, " channels, expected 1 or 3");
  if (columns < 1) fail("grid: columns is ", columns, ", expected at least 1");
  const auto [gap, background, scale] = options;
  if (gap < 0 || scale < 1) fail("grid: gap is ", gap, ", scale is ", scale, ", expected at least 0 and 1");
  columns = (std::min)(columns, count);
  const extent rows = ceil_div(count, columns);
  const extent down = checked_add(checked_mul(height, scale, "grid"), gap, "grid");
  const extent across = checked_add(checked_mul(width, scale, "grid"), gap, "grid");
  image sheet = make_image(checked_mul(rows, down, "grid") - gap, checked_mul(columns, across, "grid") - gap, channels);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), background);
  for (extent b = 0; b < count; ++b) {
    const float* picture = values + b * height * width * channels;
    const extent top = b / columns * down, left = b % columns * across;
    for (extent y = 0; y < height * scale; ++y) {
      unsigned char* out = sheet.pixels.data() + ((top + y) * sheet.width + left) * channels;
      for (extent x = 0; x < width * scale; ++x) {
        const float* pixel = picture + (y / scale * width + x / scale) * channels;
        for (extent c = 0; c < channels; ++c) *out++ = byte_of(pixel[c]);
      }
    }
  }
  return sheet;
}
template <backend B>
image grid(const tensor<B, float>& pictures, extent columns, const grid_options& options = {}) {
  return grid(to_host(pictures).data(), pictures.shape(), columns, options);
}

}  // namespace ul
