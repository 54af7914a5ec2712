#pragma once
// PNG pictures decoded by libpng. Component `image`. Only the chunks that make the picture are looked at; the others,
// which may be bombs, are skipped unread.

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string_view>

#include <ul/io/bytes.hpp>
#include <ul/io/image.hpp>

namespace ul {

namespace detail {

// One decoding. libpng reports errors by longjmp, so begin() and finish(), which call it, hold no object with a
// destructor; they return false, and `text` says why.
class png_decoder {
 public:
  explicit png_decoder(byte_view bytes) : rest_(bytes) {
    png_ = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](::png_structp, ::png_const_charp) {});
    if (png_) info_ = ::png_create_info_struct(png_);
    if (!info_) {
      ::png_destroy_read_struct(&png_, nullptr, nullptr);
      fail("png: out of memory");
    }
  }
  png_decoder(const png_decoder&) = delete;
  ~png_decoder() { ::png_destroy_read_struct(&png_, &info_, nullptr); }

  // Reads up to the pixels, of which nothing is allocated yet.
  bool begin() {
    if (setjmp(png_jmpbuf(png_))) return false;
    ::png_set_read_fn(png_, this, on_read);
    ::png_set_benign_errors(png_, 0);
    ::png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    ::png_set_user_limits(png_, 0x7fffffff, 0x7fffffff);
    ::png_read_info(png_, info_);
    return true;
  }

  // Asks for 8 bits a channel; a palette stays, because libpng does not check its use.
  bool prepare() {
    if (setjmp(png_jmpbuf(png_))) return false;
    if (palette_of(nullptr) != 0) {
      ::png_set_packing(png_);
    } else {
      ::png_set_expand(png_);
    }
    ::png_set_scale_16(png_);
    ::png_set_interlace_handling(png_);
    ::png_read_update_info(png_, info_);
    return true;
  }

  bool finish(::png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    ::png_read_image(png_, rows);
    ::png_read_end(png_, nullptr);
    return true;
  }

  // The number of colours and the RGBA of each, or 0 in a picture without a palette. `has_alpha`: whether any is clear.
  int palette_of(unsigned char (*colours)[4], bool* has_alpha = nullptr) const {
    if (::png_get_color_type(png_, info_) != PNG_COLOR_TYPE_PALETTE) return 0;
    ::png_colorp rgb = nullptr;
    ::png_bytep alpha = nullptr;
    int count = 0, clear = 0;
    ::png_get_PLTE(png_, info_, &rgb, &count);
    ::png_get_tRNS(png_, info_, &alpha, &clear, nullptr);
    if (has_alpha) *has_alpha = clear > 0;
    for (int i = 0; colours && i < count; ++i) {
      colours[i][0] = rgb[i].red;
      colours[i][1] = rgb[i].green;
      colours[i][2] = rgb[i].blue;
      colours[i][3] = i < clear ? alpha[i] : 255;
    }
    return count;
  }

  extent height() const { return ::png_get_image_height(png_, info_); }
  extent width() const { return ::png_get_image_width(png_, info_); }
  extent channels() const { return ::png_get_channels(png_, info_); }
  const char* text() const { return text_; }

 private:
  [[noreturn]] static void on_error(::png_structp png, ::png_const_charp text) {
    auto* self = static_cast<png_decoder*>(::png_get_error_ptr(png));
    std::strncpy(self->text_, text, sizeof self->text_ - 1);
    std::longjmp(png_jmpbuf(png), 1);
  }
  static void on_read(::png_structp png, ::png_bytep out, std::size_t count) {
    auto* self = static_cast<png_decoder*>(::png_get_io_ptr(png));
    if (count > self->rest_.size()) ::png_error(png, "the file is cut off");
    std::memcpy(out, self->rest_.data(), count);
    self->rest_ = self->rest_.subspan(count);
  }

  byte_view rest_;
  ::png_structp png_ = nullptr;
  ::png_infop info_ = nullptr;
  char text_[200] = {};
};

// A picture of palette entries -> its colours; any other as it is.
inline image without_palette(const png_decoder& decoder, image picture, std::string_view name) {
  unsigned char colours[256][4];
  bool alpha = false;
  const int count = decoder.palette_of(colours, &alpha);
  if (count == 0) return picture;
  image out = make_image(picture.height, picture.width, alpha ? 4 : 3);
  auto to = out.pixels.begin();
  for (const unsigned char entry : picture.pixels) {
    if (entry >= count) fail(printable(name), ": bad PNG: palette entry ", int{entry}, " of ", count);
    to = std::copy_n(colours[entry], out.channels, to);
  }
  return out;
}

}  // namespace detail

// The bytes of a PNG file -> image with 1 to 4 channels: grey, grey and alpha, RGB, RGBA. 16 bits become 8, palettes
// become RGB; gamma and colour profiles are not applied. Throws ul::error naming `name` on anything damaged and on
// more pixels than the limit.
inline image decode_png(byte_view bytes, std::string_view name, const image_limits& limits = {}) {
  if (!starts_with(bytes, "\x89PNG\r\n\x1a\n")) {
    const bool damaged = starts_with(bytes, "\x89PNG") || starts_with(bytes, "PNG\r\n") || starts_with(bytes, "\tPNG");
    fail(printable(name),
         damaged ? ": line-ending damage: this was a PNG before a transfer as text" : ": not a PNG file");
  }
  detail::png_decoder decoder(bytes);
  const auto require = [&](bool done) {
    if (!done) fail(printable(name), ": bad PNG: ", printable(decoder.text()));
  };
  require(decoder.begin());
  const extent height = decoder.height(), width = decoder.width();
  if (width > limits.pixels / height) {
    fail(printable(name), ": too large: ", height, " x ", width, " pixels, the limit is ", limits.pixels);
  }
  require(decoder.prepare());
  image picture = make_image(height, width, decoder.channels());
  std::vector<::png_bytep> rows(static_cast<std::size_t>(height));
  for (extent y = 0; y < height; ++y) {
    rows[static_cast<std::size_t>(y)] = picture.pixels.data() + y * width * picture.channels;
  }
  require(decoder.finish(rows.data()));
  return detail::without_palette(decoder, std::move(picture), name);
}

}  // namespace ul
