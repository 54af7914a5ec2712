#pragma once
// A picture as files hold it: 8 bits a channel, (H, W, C), rows from the top, channels last.

#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

// A byte 0 ... 255 as a value in [-1, 1], and back: rounded to nearest, clamped, NaN as black.
constexpr float value_of(unsigned char byte) { return static_cast<float>(byte) / 127.5f - 1.0f; }
constexpr unsigned char byte_of(float value) {
  const float scaled = (value + 1.0f) * 127.5f + 0.5f;
  return scaled >= 255.0f ? 255 : scaled > 0.0f ? static_cast<unsigned char>(scaled) : 0;
}

struct image {
  extent height = 0, width = 0;
  extent channels = 0;                // 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
  std::vector<unsigned char> pixels;  // height * width * channels
};

// What a picture from a file may cost.
struct image_limits {
  extent pixels = extent{1} << 26;
};

// A black image. Throws ul::error on a negative extent or an overflow.
inline image make_image(extent height, extent width, extent channels) {
  if (height < 0 || width < 0 || channels < 0) {
    fail("image: extents are ", height, " x ", width, " x ", channels, ", expected at least 0");
  }
  const extent size = checked_mul(checked_mul(height, width, "image"), channels, "image");
  return {height, width, channels, std::vector<unsigned char>(static_cast<std::size_t>(size))};
}

}  // namespace ul
