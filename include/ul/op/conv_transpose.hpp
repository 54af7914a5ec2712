#pragma once
// Transposed convolution, the adjoint of `conv` in its input.
//   x (B, in..., Cin), weight (kernel..., Cout, Cin), bias (Cout) or none -> y (B, out..., Cout)
// with out = (in - 1) stride - 2 pad + kernel + extra for each axis, as in PyTorch. The weight is the one with which
// `conv` would map y's channels to x's: input i adds weight[k] x[i] to output i * stride - pad + k.

#include <ul/backend/kernels/conv.hpp>
#include <ul/op/axes.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace op {

struct conv_transpose {
  static constexpr const char* name = "conv_transpose";
  per_axis stride = 1;
  per_axis pad = 0;
  per_axis extra = 0;  // further outputs at the end of an axis, less than the stride

  template <backend B, element T>
  struct saved {
    tensor<B, T> x, weight;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight,
                       const tensor<B, T>& bias = {}) const {
    const conv_shape s = shape(x.shape(), weight.shape());
    if (bias && bias.size() != s.channels_in)
      fail(name, ": bias is ", bias.shape(), ", weight gives ", s.channels_in, " channels");
    if (keep) *keep = {x, weight};
    tensor<B, T> y(x.device(), output(x.shape(), s));
    if (y.size() == 0) return y;
    launch(x.device(), conv_data<T>{.shape = s, .dy = x.data(), .weight = weight.data(), .dx = y.data()});
    const space rows{1, y.size() / s.channels_in, s.channels_in};
    if (bias)
      x.device().map(rows, detail::plus{}, dense(y.data(), rows), detail::input(y, rows),
                     per_channel<const T>(bias.data()));
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
    if (dx && kept.x.size() != 0) {
      const tensor<B, T> d(device, kept.x.shape());
      launch(device, conv_forward<T>{.shape = s, .x = dy.data(), .weight = kept.weight.data(), .y = d.data()});
      dx.add(d);
    }
    if (dy.size() == 0)
      dweight.adding(device, kept.weight.shape());
    else if (const auto d = dweight.into(device, kept.weight.shape()); d.data)
      launch(device,
             conv_weights<T>{.shape = s, .x = dy.data(), .dy = kept.x.data(), .dweight = d.data, .mode = d.mode});
    const space columns{1, s.batch * s.inputs(), s.channels_in};
    dbias.fold(device, {s.channels_in}, columns, detail::same{}, detail::input(dy, columns));
  }

 private:
  // The convolution from y to x.
  conv_shape shape(const extents& x, const extents& weight) const {
    const extent rank = x.rank(), spatial = rank - 2;
    if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
    if (weight.rank() != rank) fail(name, ": weight is ", weight, ", expected (", spatial, " kernel axes, Cout, Cin)");
    if (weight[-1] != x[-1]) fail(name, ": x is ", x, ", weight ", weight, " expects ", weight[-1], " channels");
    if (weight[-1] < 1 || weight[-2] < 1) fail(name, ": weight is ", weight, ", expected at least one channel");
    conv_shape s;
    s.batch = x[0], s.channels_in = weight[-2], s.channels_out = x[-1];
    for (extent i = 0; i < spatial; ++i) {
      const extent kernel = weight[i], step = stride.at(i, spatial, "conv_transpose: stride");
      const extent low = pad.at(i, spatial, "conv_transpose: pad"),
                   more = extra.at(i, spatial, "conv_transpose: extra");
      if (kernel < 1 || step < 1) fail(name, ": kernel is ", kernel, ", stride ", step, ", expected at least 1");
      if (low < 0 || low >= kernel) fail(name, ": pad is ", low, ", expected 0 to ", kernel - 1);
      if (more < 0 || more >= step) fail(name, ": extra is ", more, ", expected 0 to ", step - 1);
      if (x[i + 1] < 1) fail(name, ": x is ", x, ", expected spatial extents of at least 1");
      const extent out = checked_add(checked_mul(x[i + 1] - 1, step, name), kernel + more, name) - 2 * low;
      if (out < 1) fail(name, ": axis ", i + 1, " of x ", x, " would give ", out, " outputs with pad ", low);
      s.axis[3 - spatial + i] = {.in = out, .out = x[i + 1], .kernel = kernel, .stride = step, .pad = low};
    }
    return s;
  }
  static extents output(const extents& x, const conv_shape& s) {
    extents y = x.with(-1, s.channels_in);
    for (extent i = 1; i < x.rank() - 1; ++i) y = y.with(i, s.axis[i + 4 - x.rank()].in);
    return y;
  }
};

}  // namespace op

// conv_transpose(x, weight, bias, {.stride = 2, .pad = 1}); without a bias, leave it out or pass one that is none.
template <tensor_like X, tensor_like W>
auto conv_transpose(const X& x, const W& weight, const op::conv_transpose& settings = {}) {
  return apply(settings, x, weight);
}
template <tensor_like X, tensor_like W, tensor_like Bias>
auto conv_transpose(const X& x, const W& weight, const Bias& bias, const op::conv_transpose& settings = {}) {
  return apply(settings, x, weight, bias);
}

}  // namespace ul
