#pragma once
// The gradient in the data of a convolution with strides. Inputs whose numbers leave the same remainders read only
// every stride-th tap: each such phase is the gradient of a convolution at stride 1 with a part of the weights.

#include <ul/backend/cpu/conv_patches.hpp>
#include <ul/backend/cpu/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class T>
void data_at_stride_1(executor& threads, memory_pool& memory, const conv_data<T>& f) {
  const conv_shape& s = f.shape;
  product<conv_patches<T>, transposed_taps<T>, T> g{s.batch * s.inputs(),
                                                    s.channels_in,
                                                    s.taps() * s.channels_out,
                                                    {s, f.dy, true},
                                                    {f.weight, s.channels_in, s.channels_out},
                                                    f.dx,
                                                    s.channels_in,
                                                    T{1},
                                                    f.mode == store_mode::add,
                                                    {}};
  multiply_once(threads, memory, g);
}

// One phase: the inputs first, first + stride, ... along each axis, and the taps that reach them.
struct conv_phase {
  conv_shape all, part;
  extent first[3], tap[3];

  conv_phase(const conv_shape& s, const extent (&remainder)[3]) : all(s), part(s) {
    for (int a = 0; a < 3; ++a) {
      const conv_axis& of = s.axis[a];
      first[a] = remainder[a];
      tap[a] = (first[a] + of.pad) % of.stride;
      part.axis[a] = {of.in > first[a] ? ceil_div(of.in - first[a], of.stride) : 0, of.out,
                      of.kernel > tap[a] ? ceil_div(of.kernel - tap[a], of.stride) : 0, 1,
                      (first[a] + of.pad - tap[a]) / of.stride};
    }
  }

  // The tap, or the input position, of the whole that number i of the part is.
  extent whole_tap(extent i) const { return whole(i, tap, &conv_axis::kernel); }
  extent whole_input(extent i) const { return whole(i, first, &conv_axis::in); }

 private:
  extent whole(extent i, const extent (&begin)[3], extent conv_axis::*size) const {
    extent at = 0, step = 1;
    for (int a = 2; a >= 0; --a) {
      at += (begin[a] + i % (part.axis[a].*size) * all.axis[a].stride) * step;
      i /= part.axis[a].*size;
      step *= all.axis[a].*size;
    }
    return at;
  }
};

template <class T>
void data_of_phase(executor& threads, memory_pool& memory, const conv_data<T>& f, const conv_phase& phase) {
  const conv_shape &all = f.shape, &part = phase.part;
  const extent C = all.channels_in, matrix_size = C * all.channels_out;
  const bool add = f.mode == store_mode::add;
  if (part.inputs() == 0 || (add && part.taps() == 0)) return;
  const scratch<memory_pool, T> weight(memory, checked_mul(part.taps(), matrix_size, "conv"));
  const scratch<memory_pool, T> dx(memory, checked_mul(part.batch * part.inputs(), C, "conv"));
  for (extent t = 0; t < part.taps(); ++t)
    widen(f.weight + phase.whole_tap(t) * matrix_size, weight.data() + t * matrix_size, matrix_size);
  if (part.taps() != 0)
    data_at_stride_1(threads, memory, conv_data<T>{part, f.dy, weight.data(), dx.data(), store_mode::replace});
  else
    std::fill(dx.data(), dx.data() + part.batch * part.inputs() * C, T{0});
  for_each_on(threads, part.batch * part.inputs(), 2 * C, [&](extent i) {
    const extent b = i / part.inputs(), to = b * all.inputs() + phase.whole_input(i % part.inputs());
    for_packs<T>(C, [&](extent c, auto lanes) {
      write_or_add(read(dx.data() + i * C + c, lanes), f.dx + to * C + c, add, lanes);
    });
  });
}

template <class T>
void data_by_phases(executor& threads, memory_pool& memory, const conv_data<T>& f) {
  const conv_axis(&axis)[3] = f.shape.axis;
  extent first[3];
  for (first[0] = 0; first[0] < axis[0].stride; ++first[0])
    for (first[1] = 0; first[1] < axis[1].stride; ++first[1])
      for (first[2] = 0; first[2] < axis[2].stride; ++first[2])
        data_of_phase(threads, memory, f, conv_phase(f.shape, first));
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
