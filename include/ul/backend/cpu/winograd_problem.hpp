#pragma once
// What Winograd's algorithm is asked for, and which shapes it suits.

#include <ul/backend/cpu/gemm_ahead.hpp>
#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/kernels/conv.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// A plain 3 x 3 convolution of (batch, H, W, channels_in) to (batch, out_h, out_w, channels_out).
template <class T>
struct winograd_problem {
  extent batch, H, W, out_h, out_w, pad_h, pad_w, channels_in, channels_out;
  const T* x;
  const T* weight;  // (3, 3, channels_in, row); if it is the adjoint, (3, 3, row, channels_in), taps in opposite order
  T* y;
  bool add;
  epilogue<T> last;
  bool adjoint = false;
  bool lasting = false;       // the weights are a parameter's
  extent row = channels_out;  // from one pixel of y to the next

  extent tiles_across() const { return ceil_div(out_w, 4); }
  extent tiles() const { return ceil_div(out_h, 4) * tiles_across(); }

  // The memory that tiles [begin, end) read or write, about, in whole rows.
  memory_range inputs_of(extent begin, extent end) const { return rows_of(x, H, W * channels_in, begin, end); }
  memory_range outputs_of(extent begin, extent end) const {
    return row == channels_out ? rows_of(y, out_h, out_w * row, begin, end) : memory_range{};
  }

  // The output channels [begin, end) alone.
  winograd_problem columns(extent begin, extent end) const {
    winograd_problem part = *this;
    part.channels_out = end - begin;
    part.weight += adjoint ? begin * channels_in : begin;
    part.y += begin;
    part.last = last.from(begin);
    return part;
  }

 private:
  memory_range rows_of(const T* data, extent height, extent length, extent begin, extent end) const {
    if (begin >= end) return {};
    const auto offset = [&](extent tile, extent below) {
      return (tile / tiles() * height + (std::min)(height, tile % tiles() / tiles_across() * 4 + below)) * length;
    };
    const extent from = offset(begin, 0);
    return {reinterpret_cast<const char*>(data + from), (offset(end - 1, 4) - from) * extent{sizeof(T)}};
  }
};

// Whether the shape of one sample, H x W results, repays the transforms.
inline bool repays_winograd(const conv_shape& s, extent H, extent W) {
  return s.channels_in >= 16 && s.channels_out >= 16 && H * W >= 10 * ceil_div(H, 4) * ceil_div(W, 4);
}
inline bool is_plain_3x3(const conv_shape& s) {
  if (s.axis[0].kernel != 1 || s.axis[0].in != 1 || s.axis[0].out != 1 || s.axis[0].pad != 0) return false;
  for (const conv_axis* a : {&s.axis[1], &s.axis[2]})
    if (a->kernel != 3 || a->stride != 1 || a->pad < 0 || a->pad > 2 || a->out != a->in + 2 * a->pad - 2) return false;
  return true;
}
inline bool suits_winograd(const conv_shape& s) {
  return is_plain_3x3(s) && repays_winograd(s, s.axis[1].out, s.axis[2].out);
}
inline bool suits_winograd_adjoint(const conv_shape& s) {
  return is_plain_3x3(s) && repays_winograd(s, s.axis[1].in, s.axis[2].in);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
