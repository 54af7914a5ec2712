#pragma once
// Pictures as PNG files, without any library. Source: PNG specification, third edition (W3C, 2025).

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <ul/io/deflate.hpp>
#include <ul/io/image.hpp>
#include <ul/io/write_file.hpp>

namespace ul {

struct png_options {
  // Key and text pairs stored inside the picture, such as the settings it was sampled with. Keys have 1 to 79
  // characters of printable ASCII; text is UTF-8.
  std::vector<std::pair<std::string, std::string>> text = {};
};

namespace detail {

inline void append_png_chunk(byte_vector& out, std::string_view type, byte_view payload) {
  if (payload.size() > 0x7fffffff) fail("png: a chunk of ", payload.size(), " bytes, the format allows 2147483647");
  append_big(out, static_cast<std::uint32_t>(payload.size()));
  append_bytes(out, as_bytes(type));
  append_bytes(out, payload);
  append_big(out, crc32(payload, crc32(as_bytes(type))));
}

inline void append_png_text(byte_vector& out, const std::string& key, const std::string& text) {
  const auto ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (key.empty() || key.size() > 79 || !std::all_of(key.begin(), key.end(), ascii)) {
    fail("png: text key \"", printable(key), "\" must have 1 to 79 printable characters");
  }
  if (text.find('\0') != std::string::npos) fail("png: text of key \"", key, "\" contains a NUL");
  const bool plain = std::all_of(text.begin(), text.end(), [&](char c) { return ascii(c) || c == '\n'; });
  byte_vector payload;
  append_bytes(payload, as_bytes(key));
  payload.push_back(0);
  if (!plain) payload.insert(payload.end(), 4, 0);  // iTXt: not compressed, no language, no translated key
  append_bytes(payload, as_bytes(text));
  append_png_chunk(out, plain ? "tEXt" : "iTXt", payload);
}

// One row of PNG filter `type` (0 none, 1 left, 2 up, 3 mean, 4 Paeth), section 9 of the specification.
// `above` is the row before, zeros for the first; `step` is the number of bytes of a pixel.
inline void filter_png_row(unsigned char* out, int type, const unsigned char* row, const unsigned char* above,
                           std::size_t size, std::size_t step) {
  for (std::size_t i = 0; i < size; ++i) {
    const int left = i < step ? 0 : row[i - step], up = above[i], corner = i < step ? 0 : above[i - step];
    int guess = 0;
    if (type == 1) guess = left;
    if (type == 2) guess = up;
    if (type == 3) guess = (left + up) / 2;
    if (type == 4) {
      const int a = std::abs(up - corner), b = std::abs(left - corner), c = std::abs(left + up - 2 * corner);
      guess = a <= b && a <= c ? left : b <= c ? up : corner;
    }
    out[i] = static_cast<unsigned char>(row[i] - guess);
  }
}

// Every row behind its filter byte: the filter whose differences are smallest in sum (section 12.7).
inline byte_vector filter_png(const image& picture) {
  const auto step = static_cast<std::size_t>(picture.channels);
  const std::size_t size = static_cast<std::size_t>(picture.width) * step;
  byte_vector out, best(size), trial(size), above(size, 0);
  out.reserve((size + 1) * static_cast<std::size_t>(picture.height));
  for (extent y = 0; y < picture.height; ++y) {
    const unsigned char* row = picture.pixels.data() + static_cast<std::size_t>(y) * size;
    long best_cost = -1;
    unsigned char best_type = 0;
    for (int type = 0; type < 5; ++type) {
      filter_png_row(trial.data(), type, row, above.data(), size, step);
      long cost = 0;
      for (const unsigned char d : trial) cost += (std::min)(int{d}, 256 - d);
      if (best_cost < 0 || cost < best_cost) {
        best_cost = cost;
        best_type = static_cast<unsigned char>(type);
        best.swap(trial);
      }
    }
    out.push_back(best_type);
    append_bytes(out, best);
    above.assign(row, row + size);
  }
  return out;
}

}  // namespace detail

// image (H, W, C) with C = 1 to 4 -> the bytes of a PNG file. Throws ul::error on an empty image, another number of
// channels, a size that does not match, or a text that PNG cannot hold.
inline byte_vector encode_png(const image& picture, const png_options& options = {}) {
  const auto& [height, width, channels, pixels] = picture;
  if (channels < 1 || channels > 4) fail("png: image has ", channels, " channels, expected 1 to 4");
  if (height < 1 || width < 1 || height > 0x7fffffff || width > 0x7fffffff) {
    fail("png: image is ", height, " x ", width, ", expected 1 to 2147483647");
  }
  const extent size = checked_mul(checked_mul(height, width, "png"), channels, "png");
  if (static_cast<std::size_t>(size) != pixels.size()) {
    fail("png: image has ", pixels.size(), " bytes, ", height, " x ", width, " x ", channels, " needs ", size);
  }
  byte_vector out;
  append_bytes(out, as_bytes("\x89PNG\r\n\x1a\n"));
  byte_vector header;
  append_big(header, static_cast<std::uint32_t>(width));
  append_big(header, static_cast<std::uint32_t>(height));
  constexpr int colour_types[] = {0, 4, 2, 6};  // grey, grey and alpha, RGB, RGBA
  // 8 bits, colours, deflate, adaptive filters, not interlaced
  for (const int field : {8, colour_types[channels - 1], 0, 0, 0}) header.push_back(static_cast<unsigned char>(field));
  detail::append_png_chunk(out, "IHDR", header);
  for (const auto& [key, text] : options.text) detail::append_png_text(out, key, text);
  detail::append_png_chunk(out, "IDAT", zlib_compress(detail::filter_png(picture)));
  detail::append_png_chunk(out, "IEND", {});
  return out;
}

// Writes a PNG file atomically. Throws ul::error as encode_png and atomic_file do.
inline void write_png(const std::string& path, const image& picture, const png_options& options = {}) {
  write_file(path, encode_png(picture, options));
}

}  // namespace ul
