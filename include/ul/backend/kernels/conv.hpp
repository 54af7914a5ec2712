#pragma once
// Convolution over one to three spatial axes, channels last, in its three passes. The composed versions gather the
// patches of one sample into a matrix (im2col) and multiply.
//   x (batch, in..., channels_in), weight (kernel..., channels_in, channels_out), y (batch, out..., channels_out)

#include <ul/backend/concept.hpp>

namespace ul {

// Output o reads inputs o * stride - pad + k for k in [0, kernel); inputs outside [0, in) are zero.
struct conv_axis {
  extent in = 1, out = 1, kernel = 1, stride = 1, pad = 0;
};

// Fewer than three spatial axes leave the leading ones at their defaults.
struct conv_shape {
  extent batch = 1;
  conv_axis axis[3];
  extent channels_in = 1, channels_out = 1;

  constexpr extent inputs() const { return axis[0].in * axis[1].in * axis[2].in; }        // positions of one sample
  constexpr extent outputs() const { return axis[0].out * axis[1].out * axis[2].out; }    // positions of one sample
  constexpr extent taps() const { return axis[0].kernel * axis[1].kernel * axis[2].kernel; }
  constexpr extent patch() const { return taps() * channels_in; }                         // rows of the weight matrix
  constexpr bool pointwise() const {                                                      // a plain matrix product
    for (const conv_axis& a : axis)
      if (a.kernel != 1 || a.stride != 1 || a.pad != 0 || a.in != a.out) return false;
    return true;
  }
};

namespace detail {

// One tap of one output position: copies its channels, or zeros where the tap falls outside.
template <class T>
struct gather_patches {
  conv_shape s;
  const T* x;  // one sample
  T* patches;  // (outputs, taps, channels_in)

  UL_HD void operator()(extent i) const {
    extent tap = i % s.taps(), position = i / s.taps(), from = 0;
    extent k[3], o[3];
    for (int a = 2; a >= 0; --a) {
      k[a] = tap % s.axis[a].kernel, tap /= s.axis[a].kernel;
      o[a] = position % s.axis[a].out, position /= s.axis[a].out;
    }
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      const extent in = o[a] * s.axis[a].stride - s.axis[a].pad + k[a];
      inside = inside && in >= 0 && in < s.axis[a].in;
      from = from * s.axis[a].in + in;
    }
    T* to = patches + i * s.channels_in;
    for (extent c = 0; c < s.channels_in; ++c) to[c] = inside ? x[from * s.channels_in + c] : T{};
  }
};

// One input position: sums the patch entries that were read from it.
template <class T>
struct sum_patches {
  conv_shape s;
  const T* patches;  // (outputs, taps, channels_in)
  T* dx;             // one sample
  store_mode mode;

  UL_HD void operator()(extent i) const {
    extent in[3], rest = i;
    for (int a = 2; a >= 0; --a) in[a] = rest % s.axis[a].in, rest /= s.axis[a].in;
    for (extent c = 0; c < s.channels_in; ++c) {
      compute_t<T> sum = mode == store_mode::add ? static_cast<compute_t<T>>(dx[i * s.channels_in + c]) : 0;
      for (extent tap = 0; tap < s.taps(); ++tap) {
        extent from = position_of(in, tap);
        if (from >= 0) sum += static_cast<compute_t<T>>(patches[(from * s.taps() + tap) * s.channels_in + c]);
      }
      dx[i * s.channels_in + c] = static_cast<T>(sum);
    }
  }

  // The output position whose given tap read input `in`, or -1.
  UL_HD extent position_of(const extent (&in)[3], extent tap) const {
    extent k[3], position = 0;
    for (int a = 2; a >= 0; --a) k[a] = tap % s.axis[a].kernel, tap /= s.axis[a].kernel;
    for (int a = 0; a < 3; ++a) {
      const extent shifted = in[a] + s.axis[a].pad - k[a], o = shifted / s.axis[a].stride;
      if (shifted < 0 || o * s.axis[a].stride != shifted || o >= s.axis[a].out) return -1;
      position = position * s.axis[a].out + o;
    }
    return position;
  }
};

}  // namespace detail

// y = act(x * weight + bias); bias may be null.
template <class T>
struct conv_forward {
  conv_shape shape;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  T* y = nullptr;
  activation act = activation::none;
  bool lasting = false;  // the weight is a parameter: what is derived from it may be kept (backend/kept_weights.hpp)

  template <backend B>
  void composed(B& device) const {
    const conv_shape& s = shape;
    gemm_args<T> g{.n = s.channels_out, .k = s.patch(), .lda = s.patch(), .b = weight, .ldb = s.channels_out,
                   .ldc = s.channels_out, .bias = bias, .act = act};
    if (s.pointwise()) {
      g.m = s.batch * s.inputs(), g.a = x, g.c = y;
      return device.gemm(g);
    }
    scratch<B, T> patches(device, s.outputs() * s.patch());
    for (extent b = 0; b < s.batch; ++b) {
      device.for_each(s.outputs() * s.taps(), s.channels_in,
                      detail::gather_patches<T>{s, x + b * s.inputs() * s.channels_in, patches.data()});
      g.m = s.outputs(), g.a = patches.data(), g.c = y + b * s.outputs() * s.channels_out;
      device.gemm(g);
    }
  }
};

// dx (=, +=) dy * weight, the adjoint in x.
// It is also the forward pass of the transposed convolution.
template <class T>
struct conv_data {
  conv_shape shape;
  const T* dy = nullptr;
  const T* weight = nullptr;
  T* dx = nullptr;
  store_mode mode = store_mode::replace;

  template <backend B>
  void composed(B& device) const {
    const conv_shape& s = shape;
    gemm_args<T> g{.n = s.patch(), .k = s.channels_out, .lda = s.channels_out, .b = weight, .ldb = s.channels_out,
                   .b_layout = transpose::yes, .ldc = s.patch()};
    if (s.pointwise()) {
      g.m = s.batch * s.inputs(), g.a = dy, g.c = dx, g.mode = mode;
      return device.gemm(g);
    }
    scratch<B, T> patches(device, s.outputs() * s.patch());
    for (extent b = 0; b < s.batch; ++b) {
      g.m = s.outputs(), g.a = dy + b * s.outputs() * s.channels_out, g.c = patches.data();
      device.gemm(g);
      device.for_each(s.inputs(), s.patch(),
                      detail::sum_patches<T>{s, patches.data(), dx + b * s.inputs() * s.channels_in, mode});
    }
  }
};

// dweight (=, +=) the adjoint in the weight, in the master precision.
template <class T>
struct conv_weights {
  conv_shape shape;
  const T* x = nullptr;
  const T* dy = nullptr;
  master_t<T>* dweight = nullptr;
  store_mode mode = store_mode::replace;

  template <backend B>
  void composed(B& device) const {
    const conv_shape& s = shape;
    gemm_args<T, master_t<T>> g{.m = s.patch(), .n = s.channels_out, .lda = s.patch(), .a_layout = transpose::yes,
                                .ldb = s.channels_out, .c = dweight, .ldc = s.channels_out, .mode = mode};
    if (s.pointwise() || s.batch == 0) {
      g.k = s.batch * s.inputs(), g.a = x, g.b = dy;
      return device.gemm(g);
    }
    scratch<B, T> patches(device, s.outputs() * s.patch());
    for (extent b = 0; b < s.batch; ++b) {
      device.for_each(s.outputs() * s.taps(), s.channels_in,
                      detail::gather_patches<T>{s, x + b * s.inputs() * s.channels_in, patches.data()});
      g.k = s.outputs(), g.a = patches.data(), g.b = dy + b * s.outputs() * s.channels_out;
      device.gemm(g);
      g.mode = store_mode::add;
    }
  }
};

}  // namespace ul
