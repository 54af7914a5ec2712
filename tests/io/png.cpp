#include <doctest/doctest.h>

#include <ul/io/png.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

// A picture with flat, smooth and rough parts.
ul::image sample_image(ul::extent height, ul::extent width, ul::extent channels) {
  ul::image picture = ul::make_image(height, width, channels);
  unsigned state = 1;
  for (ul::extent y = 0, i = 0; y < height; ++y) {
    for (ul::extent x = 0; x < width; ++x) {
      for (ul::extent c = 0; c < channels; ++c, ++i) {
        state = state * 1664525u + 1013904223u;
        const ul::extent value = x < width / 3 ? 17 : x < 2 * width / 3 ? x * y + 40 * c : state >> 24;
        picture.pixels[static_cast<std::size_t>(i)] = static_cast<unsigned char>(value);
      }
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("check sums: published values") {
  // The check value of the CRC catalogue for "123456789"; Adler-32 of "Wikipedia" from the article on it.
  CHECK(ul::crc32(ul::as_bytes("123456789")) == 0xcbf43926u);
  CHECK(ul::crc32(ul::as_bytes("6789"), ul::crc32(ul::as_bytes("12345"))) == 0xcbf43926u);
  CHECK(ul::adler32(ul::as_bytes("Wikipedia")) == 0x11e60398u);
  const ul::byte_vector many(100000, 255);
  CHECK(ul::adler32(many) == (((1 + 25500000ull) % 65521) | ((100000 + 255ull * 100000 * 100001 / 2) % 65521) << 16));
}

TEST_CASE("huffman: lengths are optimal, bounded and complete") {
  using lengths = std::vector<unsigned char>;
  CHECK(ul::detail::huffman_lengths({8, 4, 2, 1, 1}, 15) == lengths{1, 2, 3, 4, 4});
  CHECK(ul::detail::huffman_lengths({0, 0, 5}, 15) == lengths{1, 0, 1});
  CHECK(ul::detail::huffman_lengths({0, 0, 0}, 15) == lengths{1, 1, 0});
  std::vector<std::uint32_t> fibonacci{1, 1};  // the deepest tree there is
  while (fibonacci.size() < 40) fibonacci.push_back(fibonacci.back() + *(fibonacci.end() - 2));
  for (const unsigned longest : {7u, 15u}) {
    unsigned long kraft = 0;
    for (const unsigned char length : ul::detail::huffman_lengths(fibonacci, longest)) {
      CHECK(length >= 1);
      CHECK(length <= longest);
      kraft += 1ul << (longest - length);
    }
    CHECK(kraft == 1ul << longest);
  }
  // The example of RFC 1951, section 3.2.2: lengths (3,3,3,3,3,2,4,4) give 010 011 100 101 110 00 1110 1111.
  const std::vector<std::uint16_t> reversed{0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111};
  CHECK(ul::detail::huffman_codes({3, 3, 3, 3, 3, 2, 4, 4}) == reversed);
}

TEST_CASE("png: the file has the chunks of the specification") {
  const ul::byte_vector file =
      ul::encode_png(sample_image(7, 9, 3), {.text = {{"seed", "7"}, {"note", "caf\xc3\xa9"}}});
  ul::byte_cursor cursor(file, "memory");
  CHECK(ul::as_text(cursor.take(8, "signature")) == "\x89PNG\r\n\x1a\n");
  std::vector<std::string> types;
  while (cursor.remaining() > 0) {
    const std::uint32_t length = cursor.big<std::uint32_t>("length");
    const auto start = static_cast<std::size_t>(cursor.offset());
    types.emplace_back(ul::as_text(cursor.take(4, "type")));
    const ul::byte_view payload = cursor.take(length, "payload");
    CHECK(cursor.big<std::uint32_t>("check sum") == ul::crc32(ul::byte_view(file).subspan(start, length + 4)));
    using namespace std::string_view_literals;
    if (types.back() == "IHDR") CHECK(ul::as_text(payload) == "\0\0\0\x09\0\0\0\x07\x08\x02\0\0\0"sv);
    if (types.back() == "tEXt")
      CHECK(ul::as_text(payload) ==
            "seed\0"
            "7"sv);
    if (types.back() == "iTXt") CHECK(ul::as_text(payload) == "note\0\0\0\0\0caf\xc3\xa9"sv);
  }
  CHECK(types == std::vector<std::string>{"IHDR", "tEXt", "iTXt", "IDAT", "IEND"});
}

TEST_CASE("png: what is flat or repeats becomes small") {
  CHECK(ul::encode_png(ul::make_image(256, 256, 3)).size() < 500);
  ul::image tiled = ul::make_image(64, 64, 1);
  const ul::image tile = sample_image(8, 8, 1);
  for (std::size_t i = 0; i < tiled.pixels.size(); ++i) tiled.pixels[i] = tile.pixels[i / 64 % 8 * 8 + i % 8];
  CHECK(ul::encode_png(tiled).size() < 700);
}

TEST_CASE("png: bad images and texts are refused") {
  const auto png_error = [](const ul::image& picture, const ul::png_options& options = {}) {
    return error_of([&] { ul::encode_png(picture, options); });
  };
  CHECK(contains(png_error(ul::make_image(4, 4, 5)), "png: image has 5 channels, expected 1 to 4"));
  CHECK(contains(png_error(ul::make_image(0, 4, 1)), "png: image is 0 x 4"));
  CHECK(contains(png_error({2, 2, 3, ul::byte_vector(11)}), "png: image has 11 bytes, 2 x 2 x 3 needs 12"));
  CHECK(contains(png_error({1l << 31, 1, 1, {}}), "png: image is 2147483648 x 1"));
  const ul::image good = ul::make_image(1, 1, 1);
  CHECK(contains(png_error(good, {.text = {{"", "x"}}}), "must have 1 to 79"));
  CHECK(contains(png_error(good, {.text = {{std::string(80, 'k'), "x"}}}), "must have 1 to 79"));
  CHECK(contains(png_error(good, {.text = {{"a\nb", "x"}}}), "\"a\\x0ab\""));
  CHECK(contains(png_error(good, {.text = {{"key", std::string("a\0b", 3)}}}), "contains a NUL"));
  CHECK(contains(error_of([] { ul::make_image(-1, 2, 3); }), "image: extents are -1 x 2 x 3"));
  CHECK(contains(error_of([] { ul::make_image(ul::extent_max, 2, 3); }), "overflows"));
}

TEST_CASE("png: the same bytes everywhere") {
  CHECK(ul::crc32(ul::encode_png(sample_image(61, 67, 1))) == 991840637u);
  CHECK(ul::crc32(ul::encode_png(sample_image(61, 67, 3))) == 349677327u);
}
