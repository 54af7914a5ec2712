#pragma once
// Pictures from files, whatever their format. Component `image`.

#include <string>
#include <string_view>

#include <ul/io/jpeg_reader.hpp>
#include <ul/io/png_reader.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

// The bytes of a PNG or JPEG file, told apart by how they start and not by name -> image. Throws ul::error as
// decode_png and decode_jpeg do, and on other formats, which it names.
inline image decode_image(byte_view bytes, std::string_view name, const image_limits& limits = {}) {
  if (starts_with(bytes, "\xff\xd8\xff")) return decode_jpeg(bytes, name, limits);
  const bool webp = starts_with(bytes, "RIFF") && bytes.size() >= 12 && as_text(bytes.subspan(8, 4)) == "WEBP";
  for (const auto& [found, format] : {std::pair{webp, "a WebP"}, std::pair{starts_with(bytes, "GIF8"), "a GIF"},
                                      std::pair{starts_with(bytes, "BM"), "a BMP"},
                                      std::pair{starts_with(bytes, "II*") || starts_with(bytes, "MM"), "a TIFF"}}) {
    if (found) fail(printable(name), ": this is ", format, " picture, expected PNG or JPEG");
  }
  return decode_png(bytes, name, limits);
}

// The picture in a file. Throws ul::error as read_file and decode_image do.
inline image read_image(const std::string& path, const image_limits& limits = {}) {
  return decode_image(read_file(path), path, limits);
}

}  // namespace ul
