#pragma once
// Convolution as a product with patches that are gathered while they are packed, in all three passes.

#include <ul/backend/cpu/conv_patches.hpp>
#include <ul/backend/cpu/gemm.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_forward<T>& f) {
  const conv_shape& s = f.shape;
  simd::product<simd::conv_patches<T>, simd::matrix<T>, T> g{
      s.batch * s.outputs(), s.channels_out, s.patch(), {s, f.x, false}, {f.weight, s.channels_out, transpose::no}, f.y,
      s.channels_out,        T{1},           false,     {f.bias, f.act}};
  simd::multiply_once(threads, memory, g);
}

template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_data<T>& f) {
  const conv_shape& s = f.shape;
  simd::product<simd::conv_patches<T>, simd::transposed_taps<T>, T> g{s.batch * s.inputs(),
                                                                      s.channels_in,
                                                                      s.taps() * s.channels_out,
                                                                      {s, f.dy, true},
                                                                      {f.weight, s.channels_in, s.channels_out},
                                                                      f.dx,
                                                                      s.channels_in,
                                                                      T{1},
                                                                      f.mode == store_mode::add,
                                                                      {}};
  simd::multiply_once(threads, memory, g);
}

// The transpose of the gradient is what patches, being read by rows, give without being transposed themselves.
template <class T>
void run_on(executor& threads, memory_pool& memory, const conv_weights<T>& f) {
  const conv_shape& s = f.shape;
  const extent patch = s.patch();
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
