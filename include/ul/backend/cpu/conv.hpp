#pragma once
// Convolution as a product with patches that are gathered while they are packed, in all three passes.

#include <ul/backend/cpu/conv_phases.hpp>
#include <ul/backend/cpu/winograd.hpp>
#include <ul/backend/cpu/winograd_weights.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_forward<T>& f) {
  const conv_shape& s = f.shape;
  if (simd::suits_winograd(s)) {
    const conv_axis &h = s.axis[1], &w = s.axis[2];
    return simd::convolve_by_winograd<T>(threads, memory,
                                         {s.batch,
                                          h.in,
                                          w.in,
                                          h.out,
                                          w.out,
                                          h.pad,
                                          w.pad,
                                          s.channels_in,
                                          s.channels_out,
                                          f.x,
                                          f.weight,
                                          f.y,
                                          false,
                                          {f.bias, f.act},
                                          false,
                                          f.lasting});
  }
  simd::product<simd::conv_patches<T>, simd::matrix<T>, T> g{
      s.batch * s.outputs(), s.channels_out, s.patch(), {s, f.x, false}, {f.weight, s.channels_out, transpose::no}, f.y,
      s.channels_out,        T{1},           false,     {f.bias, f.act}};
  simd::multiply_once(threads, memory, g);
}

template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_data<T>& f) {
  const conv_shape& s = f.shape;
  if (simd::suits_winograd_adjoint(s)) {
    // The adjoint is the convolution with every tap's matrix transposed and the taps in opposite order.
    const conv_axis &h = s.axis[1], &w = s.axis[2];
    return simd::convolve_by_winograd<T>(threads, memory,
                                         {s.batch,
                                          h.out,
                                          w.out,
                                          h.in,
                                          w.in,
                                          2 - h.pad,
                                          2 - w.pad,
                                          s.channels_out,
                                          s.channels_in,
                                          f.dy,
                                          f.weight,
                                          f.dx,
                                          f.mode == store_mode::add,
                                          {},
                                          true});
  }
  const bool strided = s.axis[0].stride != 1 || s.axis[1].stride != 1 || s.axis[2].stride != 1;
  strided ? simd::data_by_phases(threads, memory, f) : simd::data_at_stride_1(threads, memory, f);
}

// The transpose of the gradient is what patches, being read by rows, give without being transposed themselves.
template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_weights<T>& f) {
  const conv_shape& s = f.shape;
  const extent patch = s.patch();
  if (simd::suits_winograd(s) && s.batch > 0) {
    const conv_axis &h = s.axis[1], &w = s.axis[2];
    return simd::weights_by_winograd<T>(threads, memory,
                                        {s.batch,
                                         h.in,
                                         w.in,
                                         h.out,
                                         w.out,
                                         h.pad,
                                         w.pad,
                                         s.channels_in,
                                         s.channels_out,
                                         f.x,
                                         nullptr,
                                         nullptr,
                                         false,
                                         {}},
                                        f.dy, f.dweight, f.mode == store_mode::add);
  }
  const scratch<memory_pool, T> transposed(memory, checked_mul(s.channels_out, patch, "conv_weights"));
  simd::product<simd::matrix<T>, simd::conv_patches<T>, T> g{s.channels_out,
                                                             patch,
                                                             s.batch * s.outputs(),
                                                             {f.dy, s.channels_out, transpose::yes},
                                                             {s, f.x, false},
                                                             transposed.data(),
                                                             patch,
                                                             T{1},
                                                             false,
                                                             {}};
  simd::multiply_once(threads, memory, g);
  for_each_on(threads, patch, 2 * s.channels_out, [&](extent row) {
    for (extent c = 0; c < s.channels_out; ++c) {
      T& to = f.dweight[row * s.channels_out + c];
      const T from = transposed.data()[c * patch + row];
      to = f.mode == store_mode::add ? to + from : from;
    }
  });
}

}  // namespace UL_ISA
}  // namespace ul
