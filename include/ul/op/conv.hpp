#pragma once
// Convolution over one to three spatial axes (cross-correlation, as networks have it), zeros beyond the border.
//   x (B, in..., Cin), weight (kernel..., Cin, Cout), bias (Cout) or none -> y (B, out..., Cout)
// with out = (in + pad + pad_high - kernel) / stride + 1 for each axis, rounded down.

#include <ul/backend/kernels/conv.hpp>
#include <ul/op/axes.hpp>
#include <ul/op/op.hpp>

namespace ul {

// What an axis of padding is when nothing else is said: half the kernel, so that odd kernels keep the extents.
inline constexpr extent same_pad = -1;

namespace op {

struct conv {
  static constexpr const char* name = "conv";
  per_axis stride = 1;
  per_axis pad = same_pad;       // before the first position
  per_axis pad_high = same_pad;  // after the last; as `pad` unless set
  bool lasting = false;          // the weight is a parameter (backend/kept_weights.hpp)

  template <backend B, element T>
  struct saved {
    tensor<B, T> x, weight;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight,
                       const tensor<B, T>& bias = {}) const {
    const conv_shape s = shape(x.shape(), weight.shape());
    if (bias && bias.size() != s.channels_out)
      fail(name, ": bias is ", bias.shape(), ", weight gives ", s.channels_out, " channels");
    if (keep) *keep = {x, weight};
    extents out = x.shape().with(-1, s.channels_out);
    for (extent i = 1; i < x.rank() - 1; ++i) out = out.with(i, s.axis[i + 4 - x.rank()].out);
    tensor<B, T> y(x.device(), out);
    if (y.size() != 0)
      launch(x.device(), conv_forward<T>{.shape = s,
                                         .x = x.data(),
                                         .weight = weight.data(),
                                         .bias = bias.data(),
                                         .y = y.data(),
                                         .lasting = lasting});
    return y;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx,
               gradient<B, master_t<T>>& dweight) const {
    gradient<B, master_t<T>> no_bias;
    adjoint(kept, dy, dx, dweight, no_bias);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx, gradient<B, master_t<T>>& dweight,
               gradient<B, master_t<T>>& dbias) const {
    B& device = dy.device();
    const conv_shape s = shape(kept.x.shape(), kept.weight.shape());
    if (const auto d = dx.into(device, kept.x.shape()); d.data && kept.x.size() != 0)
      launch(device,
             conv_data<T>{.shape = s, .dy = dy.data(), .weight = kept.weight.data(), .dx = d.data, .mode = d.mode});
    if (dy.size() == 0)
      dweight.adding(device, kept.weight.shape());
    else if (const auto d = dweight.into(device, kept.weight.shape()); d.data)
      launch(device,
             conv_weights<T>{.shape = s, .x = kept.x.data(), .dy = dy.data(), .dweight = d.data, .mode = d.mode});
    const space columns{1, s.batch * s.outputs(), s.channels_out};
    dbias.fold(device, {s.channels_out}, columns, detail::same{}, detail::input(dy, columns));
  }

 private:
  conv_shape shape(const extents& x, const extents& weight) const {
    const extent rank = x.rank(), spatial = rank - 2;
    if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
    if (weight.rank() != rank) fail(name, ": weight is ", weight, ", expected (", spatial, " kernel axes, Cin, Cout)");
    if (weight[-2] != x[-1]) fail(name, ": x is ", x, ", weight ", weight, " expects ", weight[-2], " channels");
    if (weight[-1] < 1 || weight[-2] < 1) fail(name, ": weight is ", weight, ", expected at least one channel");
    conv_shape s;
    s.batch = x[0], s.channels_in = x[-1], s.channels_out = weight[-1];
    for (extent i = 0; i < spatial; ++i) {
      if (x[i + 1] < 1) fail(name, ": x is ", x, ", expected spatial extents of at least 1");
      const extent kernel = weight[i], step = stride.at(i, spatial, "conv: stride");
      const extent set = pad.at(i, spatial, "conv: pad"), set_high = pad_high.at(i, spatial, "conv: pad_high");
      const extent low = set == same_pad ? kernel / 2 : set, high = set_high == same_pad ? low : set_high;
      if (kernel < 1 || step < 1) fail(name, ": kernel is ", kernel, ", stride ", step, ", expected at least 1");
      if (low < 0 || high < 0) fail(name, ": padding is ", low, " and ", high, ", expected at least 0");
      const extent padded = checked_add(checked_add(x[i + 1], low, name), high, name);
      if (padded < kernel)
        fail(name, ": axis ", i + 1, " of x ", x, " is ", padded, " with padding, smaller than the kernel's ", kernel);
      s.axis[3 - spatial + i] = {
          .in = x[i + 1], .out = (padded - kernel) / step + 1, .kernel = kernel, .stride = step, .pad = low};
    }
    return s;
  }
};

}  // namespace op

// conv(x, weight, bias, {.stride = 2}); leave the bias out, or pass a tensor or parameter that is none, to have none.
template <tensor_like X, tensor_like W>
auto conv(const X& x, const W& weight, const op::conv& settings = {}) {
  return apply(settings, x, weight);
}
template <tensor_like X, tensor_like W, tensor_like Bias>
auto conv(const X& x, const W& weight, const Bias& bias, const op::conv& settings = {}) {
  return apply(settings, x, weight, bias);
}

}  // namespace ul
