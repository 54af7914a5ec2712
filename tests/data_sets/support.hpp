#pragma once
// Files made on the spot: tar archives and pictures.

#include <ul/io/png.hpp>

#include "../io/support.hpp"

namespace support {

// One entry of a ustar archive.
inline void append_entry(ul::byte_vector& out, std::string_view name, ul::byte_view content, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  const auto octal = [&](std::size_t at, std::size_t digits, std::size_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 8) header[at + i] = static_cast<char>('0' + value % 8);
  };
  octal(124, 11, content.size());
  header[156] = type;
  header.replace(257, 8,
                 std::string_view("ustar\0"
                                  "00",
                                  8));
  header.replace(148, 8, 8, ' ');
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  header[154] = '\0';
  ul::append_bytes(out, ul::as_bytes(header));
  ul::append_bytes(out, content);
  out.resize((out.size() + 511) / 512 * 512);
}
inline void append_entry(ul::byte_vector& out, std::string_view name, std::string_view text, char type = '0') {
  append_entry(out, name, ul::as_bytes(text), type);
}

inline ul::byte_vector png(ul::extent height, ul::extent width, ul::extent channels, unsigned char value) {
  ul::image picture = ul::make_image(height, width, channels);
  std::fill(picture.pixels.begin(), picture.pixels.end(), value);
  return ul::encode_png(picture);
}

}  // namespace support
