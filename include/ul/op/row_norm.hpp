#pragma once
// Normalisation of the channels of each position: x (B, ..., C) -> the same extents.
//   layer_norm       (x - mean) / sqrt(variance + eps) * weight + bias       Ba, Kiros and Hinton 2016
//   rms_norm         x / sqrt(mean square + eps) * weight                    Zhang and Sennrich 2019
//   modulated_norm   normalised * (1 + scale[b]) + shift[b]                  Peebles and Xie 2023, adaLN
// weight, bias (C) or none; scale, shift (B, C).

#include <ul/backend/kernels/row_norm.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// What the three share.
template <backend B, element T>
struct row_norm_saved {
  tensor<B, T> x{}, weight{}, bias{}, scale{}, shift{};
  tensor<B, compute_t<T>> mean{}, rstd{};
};

inline row_norm_shape rows_of(const extents& x, centring centre) {
  const space s = samples(x);
  return {.samples = s.outer, .rows = s.mid, .channels = s.inner, .centre = centre, .modulation_stride = s.inner};
}

template <backend B, element T>
tensor<B, T> normalise_rows(row_norm_saved<B, T>* keep, row_norm_saved<B, T> in, centring centre, double eps) {
  B& device = in.x.device();
  const row_norm_shape s = rows_of(in.x.shape(), centre);
  tensor<B, T> y(device, in.x.shape());
  in.mean = tensor<B, compute_t<T>>(device, {s.samples, s.rows});
  in.rstd = tensor<B, compute_t<T>>(device, {s.samples, s.rows});
  if (y.size() != 0)
    launch(device, row_norm_forward<T>{.shape = s,
                                       .x = in.x.data(),
                                       .weight = in.weight.data(),
                                       .bias = in.bias.data(),
                                       .scale = in.scale.data(),
                                       .shift = in.shift.data(),
                                       .y = y.data(),
                                       .mean = in.mean.data(),
                                       .rstd = in.rstd.data(),
                                       .eps = eps});
  if (keep) *keep = in;
  return y;
}

template <backend B, element T>
row_norm_backward<T> row_norm_step_back(const row_norm_saved<B, T>& kept, centring centre, const tensor<B, T>& dy,
                                        gradient<B, T>& dx) {
  const auto d = dx.into(dy.device(), dy.shape());
  row_norm_backward<T> step;
  step.shape = rows_of(dy.shape(), centre);
  step.x = kept.x.data(), step.weight = kept.weight.data(), step.bias = kept.bias.data();
  step.scale = kept.scale.data(), step.mean = kept.mean.data(), step.rstd = kept.rstd.data();
  step.dy = dy.data(), step.dx = d.data, step.mode = d.mode;
  return step;
}

template <backend B, element T>
void check_row_norm(const char* name, const tensor<B, T>& x, const tensor<B, T>& weight, const tensor<B, T>& bias) {
  if (x.rank() < 1) fail(name, ": x is ", x.shape(), ", expected (..., C)");
  const extent C = x.shape()[-1];
  if (weight && weight.size() != C) fail(name, ": weight is ", weight.shape(), ", x has ", C, " channels");
  if (bias && bias.size() != C) fail(name, ": bias is ", bias.shape(), ", x has ", C, " channels");
}

}  // namespace detail

namespace op {

struct layer_norm {
  static constexpr const char* name = "layer_norm";
  double eps = 1e-5;

  template <backend B, element T>
  using saved = detail::row_norm_saved<B, T>;

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight,
                       const tensor<B, T>& bias) const {
    detail::check_row_norm(name, x, weight, bias);
    return detail::normalise_rows<B, T>(keep, {.x = x, .weight = weight, .bias = bias}, centring::mean, eps);
  }

  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return detail::normalise_rows<B, T>(nullptr, kept, centring::mean, eps);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx, gradient<B, master_t<T>>& dweight,
               gradient<B, master_t<T>>& dbias) const {
    auto step = detail::row_norm_step_back(kept, centring::mean, dy, dx);
    step.dweight = dweight.adding(dy.device(), {dy.shape()[-1]});
    step.dbias = dbias.adding(dy.device(), {dy.shape()[-1]});
    if (dy.size() != 0) launch(dy.device(), step);
  }
};

struct rms_norm {
  static constexpr const char* name = "rms_norm";
  double eps = 1e-6;

  template <backend B, element T>
  using saved = detail::row_norm_saved<B, T>;

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight) const {
    detail::check_row_norm(name, x, weight, {});
    return detail::normalise_rows<B, T>(keep, {.x = x, .weight = weight}, centring::none, eps);
  }

  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return detail::normalise_rows<B, T>(nullptr, kept, centring::none, eps);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx,
               gradient<B, master_t<T>>& dweight) const {
    auto step = detail::row_norm_step_back(kept, centring::none, dy, dx);
    step.dweight = dweight.adding(dy.device(), {dy.shape()[-1]});
    if (dy.size() != 0) launch(dy.device(), step);
  }
};

struct modulated_norm {
  static constexpr const char* name = "modulated_norm";
  centring centre = centring::mean;
  double eps = 1e-6;

  template <backend B, element T>
  using saved = detail::row_norm_saved<B, T>;

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& scale,
                       const tensor<B, T>& shift) const {
    if (x.rank() < 2) fail(name, ": x is ", x.shape(), ", expected (B, ..., C)");
    const extents wanted{x.shape()[0], x.shape()[-1]};
    if (scale.shape() != wanted) fail(name, ": scale is ", scale.shape(), ", expected ", wanted);
    if (shift.shape() != wanted) fail(name, ": shift is ", shift.shape(), ", expected ", wanted);
    return detail::normalise_rows<B, T>(keep, {.x = x, .scale = scale, .shift = shift}, centre, eps);
  }

  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return detail::normalise_rows<B, T>(nullptr, kept, centre, eps);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx, gradient<B, T>& dscale,
               gradient<B, T>& dshift) const {
    auto step = detail::row_norm_step_back(kept, centre, dy, dx);
    tensor<B, T> of_scale, of_shift;
    if (dscale) of_scale = zeros<T>(dy.device(), kept.scale.shape());
    if (dshift) of_shift = zeros<T>(dy.device(), kept.scale.shape());
    step.dscale = of_scale.data(), step.dshift = of_shift.data();
    if (dy.size() != 0) launch(dy.device(), step);
    if (dscale) dscale.add(of_scale);
    if (dshift) dshift.add(of_shift);
  }
};

}  // namespace op

// layer_norm(x, weight, bias, {.eps = 1e-5})
template <tensor_like X, tensor_like W, tensor_like Bias>
auto layer_norm(const X& x, const W& weight, const Bias& bias, const op::layer_norm& settings = {}) {
  return apply(settings, x, weight, bias);
}
// rms_norm(x, weight, {.eps = 1e-6})
template <tensor_like X, tensor_like W>
auto rms_norm(const X& x, const W& weight, const op::rms_norm& settings = {}) {
  return apply(settings, x, weight);
}
// modulated_norm(x, scale, shift, {.centre = centring::none, .eps = 1e-6})
template <tensor_like X, tensor_like S, tensor_like H>
auto modulated_norm(const X& x, const S& scale, const H& shift, const op::modulated_norm& settings = {}) {
  return apply(settings, x, scale, shift);
}

}  // namespace ul
