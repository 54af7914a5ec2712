#pragma once
// Pictures of any number of channels as grey or RGB.

#include <ul/io/image.hpp>

namespace ul {

// image with 1 to 4 channels (grey, grey and alpha, RGB, RGBA) -> the same picture with 1 or 3. What is transparent
// shows the background; grey is the luma of Rec. ITU-R BT.601. Throws ul::error on other numbers of channels.
inline image with_channels(const image& picture, extent channels, unsigned char background = 255) {
  const extent from = picture.channels;
  if (from < 1 || from > 4 || (channels != 1 && channels != 3)) {
    fail("with_channels: from ", from, " to ", channels, " channels, expected from 1 to 4, to 1 or 3");
  }
  if (from == channels) return picture;
  image out = make_image(picture.height, picture.width, channels);
  const bool colour = from >= 3, alpha = from % 2 == 0;
  const unsigned char* in = picture.pixels.data();
  for (auto to = out.pixels.begin(); to != out.pixels.end(); in += from, to += channels) {
    unsigned rgb[3];
    for (int c = 0; c < 3; ++c) {
      const unsigned cover = alpha ? in[from - 1] : 255;
      rgb[c] = (in[colour ? c : 0] * cover + background * (255 - cover) + 127) / 255;
    }
    if (channels == 3) {
      for (int c = 0; c < 3; ++c) to[c] = static_cast<unsigned char>(rgb[c]);
    } else {
      *to = static_cast<unsigned char>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
    }
  }
  return out;
}

}  // namespace ul
