#include <doctest/doctest.h>
#include <ul/io/channels.hpp>
#include <ul/io/image_file.hpp>
#include <ul/io/png.hpp>

#include <cstdlib>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::image noise_image(ul::extent height, ul::extent width, ul::extent channels) {
  ul::image picture = ul::make_image(height, width, channels);
  unsigned state = 7;
  for (unsigned char& byte : picture.pixels) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<unsigned char>(state >> 24);
  }
  return picture;
}

bool same(const ul::image& a, const ul::image& b) {
  return a.height == b.height && a.width == b.width && a.channels == b.channels && a.pixels == b.pixels;
}

std::string decode_error(const ul::byte_vector& bytes, const ul::image_limits& limits = {}) {
  return error_of([&] { ul::decode_image(bytes, "a.png", limits); });
}

using chunks = std::vector<std::pair<std::string, ul::byte_vector>>;

ul::byte_vector png_of(const chunks& parts) {
  ul::byte_vector out;
  ul::append_bytes(out, ul::as_bytes("\x89PNG\r\n\x1a\n"));
  for (const auto& [type, payload] : parts) ul::detail::append_png_chunk(out, type, payload);
  return out;
}

ul::byte_vector header(std::uint32_t width, std::uint32_t height, int depth, int colour, int compression = 0,
                       int filter = 0, int interlace = 0) {
  ul::byte_vector out;
  ul::append_big(out, width);
  ul::append_big(out, height);
  for (const int field : {depth, colour, compression, filter, interlace})
    out.push_back(static_cast<unsigned char>(field));
  return out;
}

ul::byte_vector data(const ul::byte_vector& rows) { return ul::zlib_compress(rows); }

std::string png_error(const chunks& parts) { return decode_error(png_of(parts)); }

ul::byte_vector jpeg_of(const ul::image& picture, bool progressive = false) {
  jpeg_compress_struct state = {};
  jpeg_error_mgr errors;
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &buffer, &size);
  state.image_width = static_cast<unsigned>(picture.width);
  state.image_height = static_cast<unsigned>(picture.height);
  state.input_components = static_cast<int>(picture.channels);
  state.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&state);
  jpeg_set_quality(&state, 98, TRUE);
  for (int c = 0; c < state.num_components; ++c)
    state.comp_info[c].h_samp_factor = state.comp_info[c].v_samp_factor = 1;
  if (progressive) jpeg_simple_progression(&state);
  jpeg_start_compress(&state, TRUE);
  while (state.next_scanline < state.image_height) {
    auto* row =
        const_cast<unsigned char*>(picture.pixels.data()) + state.next_scanline * picture.width * picture.channels;
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  jpeg_destroy_compress(&state);
  const ul::byte_vector out(buffer, buffer + size);
  std::free(buffer);
  return out;
}

ul::image smooth_image(ul::extent channels) {
  ul::image picture = ul::make_image(19, 23, channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const auto n = static_cast<std::size_t>(channels);
    picture.pixels[i] = static_cast<unsigned char>(5 * (i / n % 23) + 3 * (i / n / 23) + 20 * (i % n));
  }
  return picture;
}

}  // namespace

TEST_CASE("png: libpng reads back what write_png writes") {
  for (ul::extent channels = 1; channels <= 4; ++channels) {
    for (const auto& [height, width] : {std::pair{1, 1}, {1, 9}, {9, 1}, {2, 3}, {17, 31}, {64, 64}}) {
      const ul::image picture = noise_image(height, width, channels);
      CHECK(same(ul::decode_png(ul::encode_png(picture), "memory"), picture));
    }
  }
  const support::scratch directory;
  const ul::image picture = noise_image(40, 50, 3);
  ul::write_png(directory / "a.png", picture, {.text = {{"settings", "seed 7\nsteps 20"}, {"note", "caf\xc3\xa9"}}});
  CHECK(same(ul::read_image(directory / "a.png"), picture));
}

TEST_CASE("png: legal files of every kind decode") {
  const ul::byte_vector end;
  // 1 bit of grey: 0 1 0 1 1 ... becomes 0 and 255.
  ul::image picture =
      ul::decode_image(png_of({{"IHDR", header(5, 1, 1, 0)}, {"IDAT", data({0, 0b01011000})}, {"IEND", end}}), "a");
  CHECK(picture.pixels == ul::byte_vector{0, 255, 0, 255, 255});
  // 16 bits of grey, scaled with rounding.
  picture = ul::decode_image(
      png_of({{"IHDR", header(2, 1, 16, 0)}, {"IDAT", data({0, 0xff, 0xff, 0x00, 0x81})}, {"IEND", end}}), "a");
  CHECK(picture.pixels == ul::byte_vector{255, 1});
  // A palette of two colours at 2 bits; with tRNS the first is transparent.
  const ul::byte_vector palette{10, 20, 30, 40, 50, 60};
  picture = ul::decode_image(
      png_of({{"IHDR", header(2, 1, 2, 3)}, {"PLTE", palette}, {"IDAT", data({0, 0b00010000})}, {"IEND", end}}), "a");
  CHECK(picture.channels == 3);
  CHECK(picture.pixels == palette);
  picture = ul::decode_image(
      png_of(
          {{"IHDR", header(2, 1, 8, 3)}, {"PLTE", palette}, {"tRNS", {0}}, {"IDAT", data({0, 0, 1})}, {"IEND", end}}),
      "a");
  CHECK(picture.channels == 4);
  CHECK(picture.pixels == ul::byte_vector{10, 20, 30, 0, 40, 50, 60, 255});
  // Adam7: a 2 x 2 picture comes as passes of 1, 1 (the pixel to the right) and 2 (the row below) pixels.
  picture = ul::decode_image(
      png_of({{"IHDR", header(2, 2, 8, 0, 0, 0, 1)}, {"IDAT", data({0, 1, 0, 2, 0, 3, 4})}, {"IEND", end}}), "a");
  CHECK(picture.pixels == ul::byte_vector{1, 2, 3, 4});
  // Data in two chunks, unknown extra chunks, bytes after the end.
  const ul::byte_vector whole = data({0, 7});
  const auto middle = whole.begin() + 5;
  ul::byte_vector file = png_of({{"IHDR", header(1, 1, 8, 0)},
                                 {"tEXt", {'k', 0, 'v'}},
                                 {"xyZz", {1, 2}},
                                 {"IDAT", {whole.begin(), middle}},
                                 {"IDAT", {middle, whole.end()}},
                                 {"IEND", end}});
  file.push_back('x');
  CHECK(ul::decode_image(file, "a").pixels == ul::byte_vector{7});
}

TEST_CASE("png: what is not PNG is named") {
  const auto starts = [](std::string_view text) { return decode_error({text.begin(), text.end()}); };
  CHECK(contains(starts("nonsense"), "a.png: not a PNG file"));
  CHECK(contains(starts("\x89PNG\n\x1a\n...."), "line-ending damage"));
  CHECK(contains(starts("GIF89a"), "this is a GIF picture, expected PNG or JPEG"));
  CHECK(contains(starts("RIFF1234WEBPVP8 "), "a WebP"));
  CHECK(contains(starts("BM123456"), "a BMP"));
  CHECK(contains(error_of([] { ul::decode_png(jpeg_of(smooth_image(1)), "a.png"); }), "not a PNG file"));
}

TEST_CASE("png: damaged structure is refused") {
  const ul::byte_vector end, one = data({0, 7}), head = header(1, 1, 8, 0);
  const auto with_header = [&](const ul::byte_vector& h) {
    return png_error({{"IHDR", h}, {"IDAT", one}, {"IEND", end}});
  };
  CHECK(with_header(head) == "no error");
  for (const auto& bad :
       {header(0, 1, 8, 0), header(1, 0, 8, 0), header(1u << 31, 1, 8, 0), header(1, 1, 3, 0), header(1, 1, 16, 3),
        header(1, 1, 8, 1), header(1, 1, 8, 5), header(1, 1, 8, 7), header(1, 1, 8, 0, 1), header(1, 1, 8, 0, 0, 1),
        header(1, 1, 8, 0, 0, 0, 2), ul::byte_vector(head.begin(), head.end() - 1)}) {
    CHECK(contains(with_header(bad), "a.png: bad PNG: "));
  }
  const chunks bad[] = {
      {{"IDAT", one}, {"IEND", end}},                                                  // no header
      {{"IHDR", head}, {"IHDR", head}, {"IDAT", one}, {"IEND", end}},                  // two
      {{"IHDR", head}, {"IEND", end}},                                                 // no data
      {{"IHDR", head}, {"IDAT", one}},                                                 // no end
      {{"IHDR", header(1, 1, 8, 3)}, {"IDAT", one}, {"IEND", end}},                    // no palette
      {{"IHDR", header(1, 1, 8, 3)}, {"PLTE", {1, 2}}, {"IDAT", one}, {"IEND", end}},  // not a multiple of 3
      {{"IHDR", header(1, 1, 8, 3)}, {"PLTE", ul::byte_vector(771)}, {"IDAT", one}, {"IEND", end}},
      {{"IHDR", header(1, 1, 8, 3)}, {"PLTE", {1, 2, 3}}, {"IDAT", one}, {"IEND", end}},  // index 7 of 1
      {{"IHDR", head}, {"IDAT", {0, 1, 2}}, {"IEND", end}},                               // no zlib stream
      {{"IHDR", head}, {"IDAT", data({9, 7})}, {"IEND", end}},                            // filter 9
      {{"IHDR", head}, {"IDAT", data({0})}, {"IEND", end}},                               // too short
      {{"IHDR", head}, {"IDAT", data({0, 7, 7, 7})}, {"IEND", end}},                      // too long
      {{"IHDR", head}, {"ABCD", {}}, {"IDAT", one}, {"IEND", end}},                       // unknown but critical
  };
  for (const chunks& parts : bad) {
    CAPTURE(&parts - bad);
    CHECK(contains(png_error(parts), "a.png: bad PNG: "));
  }
  ul::byte_vector adler = one;
  adler.back() ^= 1;
  CHECK(contains(png_error({{"IHDR", head}, {"IDAT", adler}, {"IEND", end}}), "incorrect data check"));
  ul::byte_vector crc = png_of({{"IHDR", head}, {"IDAT", one}, {"IEND", end}});
  crc[8 + 12 + 13 - 1] ^= 1;
  CHECK(contains(decode_error(crc), "CRC error"));
}

TEST_CASE("png: size is checked before memory is taken, bombs are not unpacked") {
  const ul::byte_vector end;
  const chunks largest{{"IHDR", header(0x7fffffff, 0x7fffffff, 8, 6)}, {"IDAT", data({0, 7})}, {"IEND", end}};
  CHECK(contains(png_error(largest), "a.png: too large: 2147483647 x 2147483647 pixels"));
  CHECK(contains(png_error({{"IHDR", header(100000, 100000, 8, 2)}, {"IDAT", data({0, 7})}, {"IEND", end}}),
                 "a.png: too large: 100000 x 100000 pixels, the limit is 67108864"));
  CHECK(decode_error(ul::encode_png(noise_image(5, 8, 1)), {.pixels = 40}) == "no error");
  CHECK(contains(decode_error(ul::encode_png(noise_image(5, 8, 1)), {.pixels = 39}), "too large"));
  const ul::byte_vector zeros = data(ul::byte_vector(20'000'000));
  CHECK(contains(png_error({{"IHDR", header(1, 1, 8, 0)}, {"IDAT", zeros}, {"IEND", end}}), "bad PNG"));
  ul::byte_vector text{'k', 0, 0};
  ul::append_bytes(text, zeros);
  CHECK(png_error({{"IHDR", header(1, 1, 8, 0)}, {"zTXt", text}, {"IDAT", data({0, 7})}, {"IEND", end}}) == "no error");
  chunks many{{"IHDR", header(1, 1, 8, 0)}};
  many.resize(100'000, {"tEXt", {'k', 0}});
  many.push_back({"IDAT", data({0, 7})});
  many.push_back({"IEND", end});
  CHECK(png_error(many) == "no error");
}

TEST_CASE("jpeg: grey and colour come back nearly, progressive too") {
  for (const ul::extent channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      const ul::image picture = smooth_image(channels);
      const ul::image read = ul::decode_image(jpeg_of(picture, progressive), "a.jpg");
      CHECK(read.height == 19);
      CHECK(read.width == 23);
      REQUIRE(read.channels == channels);
      int worst = 0;
      for (std::size_t i = 0; i < read.pixels.size(); ++i)
        worst = (std::max)(worst, std::abs(read.pixels[i] - picture.pixels[i]));
      CHECK(worst <= 6);
    }
  }
}

TEST_CASE("jpeg: damage is named") {
  const ul::byte_vector good = jpeg_of(smooth_image(3));
  const auto jpeg_error = [](const ul::byte_vector& bytes, const ul::image_limits& limits = {}) {
    return error_of([&] { ul::decode_jpeg(bytes, "a.jpg", limits); });
  };
  CHECK(contains(jpeg_error({1, 2, 3}), "a.jpg: not a JPEG file"));
  CHECK(contains(jpeg_error({good.begin(), good.end() - 10}), "a.jpg: bad JPEG: Premature end of JPEG file"));
  CHECK(contains(jpeg_error({good.begin(), good.begin() + 20}), "a.jpg: bad JPEG: "));
  CHECK(contains(jpeg_error(good, {.pixels = 19 * 23 - 1}), "too large: 19 x 23 pixels, the limit is 436"));
  CHECK(contains(jpeg_error(jpeg_of(noise_image(8, 8, 4))), "bad JPEG: Unsupported color conversion"));
}

TEST_CASE("pictures: damaged files give an error or a picture") {
  const auto parse = [](ul::byte_view bytes) { ul::decode_image(bytes, "a", {.pixels = 1 << 16}); };
  const ul::byte_vector png = ul::encode_png(noise_image(5, 7, 3), {.text = {{"k", "v"}}});
  CHECK(support::torture(png, parse) > static_cast<int>(3 * png.size()));
  const ul::byte_vector jpeg = jpeg_of(smooth_image(3), true);
  CHECK(support::torture(jpeg, parse) > static_cast<int>(jpeg.size()));
}

TEST_CASE("with_channels: grey, colour and transparency") {
  const ul::image rgba{1, 2, 4, {255, 0, 0, 255, 10, 20, 30, 0}};
  CHECK(ul::with_channels(rgba, 3).pixels == ul::byte_vector{255, 0, 0, 255, 255, 255});
  CHECK(ul::with_channels(rgba, 3, 0).pixels == ul::byte_vector{255, 0, 0, 0, 0, 0});
  CHECK(ul::with_channels(rgba, 1).pixels == ul::byte_vector{76, 255});
  CHECK(ul::with_channels({1, 1, 2, {100, 128}}, 1, 0).pixels == ul::byte_vector{50});
  CHECK(ul::with_channels({1, 1, 1, {9}}, 3).pixels == ul::byte_vector{9, 9, 9});
  for (int v = 0; v < 256; ++v) {
    const auto byte = static_cast<unsigned char>(v);
    CHECK(ul::with_channels({1, 1, 3, {byte, byte, byte}}, 1).pixels[0] == byte);
  }
  CHECK(contains(error_of([&] { ul::with_channels(rgba, 2); }), "with_channels: from 4 to 2 channels"));
}

TEST_CASE("Kodak 24: sizes and colours of real photographs") {
  const std::string path = UL_SOURCE_DIR "/../shared/data/kodak24";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: the Kodak pictures are not at " << path);
    return;
  }
  const ul::image picture = ul::read_image(path + "/kodim04.png");
  CHECK(picture.height == 768);
  CHECK(picture.width == 512);
  CHECK(picture.channels == 3);
}
