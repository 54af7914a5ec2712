#pragma once
// JPEG pictures decoded by libjpeg. Component `image`.

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <csetjmp>
#include <string_view>

#include <ul/io/bytes.hpp>
#include <ul/io/image.hpp>

namespace ul {

namespace detail {

// One decoding, in the manner of png_decoder: libjpeg reports errors by longjmp. What the library calls a warning, such
// as an early end, is damage too and an error here.
class jpeg_decoder {
 public:
  explicit jpeg_decoder(byte_view bytes) : bytes_(bytes) {
    state_.err = ::jpeg_std_error(&errors_);
    state_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = [](::j_common_ptr state, int level) {
      if (level < 0) on_error(state);
    };
    errors_.output_message = [](::j_common_ptr) {};
    progress_.progress_monitor = [](::j_common_ptr state) {
      auto* self = static_cast<jpeg_decoder*>(state->client_data);
      if (self->state_.input_scan_number <= most_scans) return;
      std::snprintf(self->text_, sizeof self->text_, "more than %d scans", most_scans);
      std::longjmp(self->jump_, 1);
    };
  }
  jpeg_decoder(const jpeg_decoder&) = delete;
  ~jpeg_decoder() { ::jpeg_destroy_decompress(&state_); }

  // Reads up to the pixels and asks for grey or RGB.
  bool begin() {
    if (setjmp(jump_)) return false;
    ::jpeg_create_decompress(&state_);
    state_.progress = &progress_;
    ::jpeg_mem_src(&state_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
    ::jpeg_read_header(&state_, TRUE);
    state_.out_color_space = state_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    state_.dct_method = JDCT_ISLOW;
    ::jpeg_calc_output_dimensions(&state_);
    return true;
  }

  bool finish(unsigned char* pixels) {
    if (setjmp(jump_)) return false;
    ::jpeg_start_decompress(&state_);
    while (state_.output_scanline < state_.output_height) {
      unsigned char* row = pixels + static_cast<std::size_t>(state_.output_scanline) * state_.output_width *
                                        static_cast<std::size_t>(state_.output_components);
      ::jpeg_read_scanlines(&state_, &row, 1);
    }
    ::jpeg_finish_decompress(&state_);
    return true;
  }

  extent height() const { return state_.output_height; }
  extent width() const { return state_.output_width; }
  extent channels() const { return state_.output_components; }
  const char* text() const { return text_; }

 private:
  static constexpr int most_scans = 200;  // of a progressive file; each costs a pass over all pixels

  [[noreturn]] static void on_error(::j_common_ptr state) {
    auto* self = static_cast<jpeg_decoder*>(state->client_data);
    state->err->format_message(state, self->text_);
    std::longjmp(self->jump_, 1);
  }

  byte_view bytes_;
  ::jpeg_decompress_struct state_ = {};
  ::jpeg_error_mgr errors_ = {};
  ::jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_;
  char text_[JMSG_LENGTH_MAX] = {};
};

}  // namespace detail

// The bytes of a JPEG file -> image, grey or RGB. Colour profiles and orientation tags are not applied. Throws
// ul::error naming `name` on anything damaged, on CMYK, and on more pixels than the limit.
inline image decode_jpeg(byte_view bytes, std::string_view name, const image_limits& limits = {}) {
  if (!starts_with(bytes, "\xff\xd8\xff")) fail(printable(name), ": not a JPEG file");
  detail::jpeg_decoder decoder(bytes);
  if (!decoder.begin()) fail(printable(name), ": bad JPEG: ", printable(decoder.text()));
  const extent height = decoder.height(), width = decoder.width();
  if (height < 1 || width > limits.pixels / height) {
    fail(printable(name), ": too large: ", height, " x ", width, " pixels, the limit is ", limits.pixels);
  }
  image picture = make_image(height, width, decoder.channels());
  if (!decoder.finish(picture.pixels.data())) fail(printable(name), ": bad JPEG: ", printable(decoder.text()));
  return picture;
}

}  // namespace ul
