#pragma once
// Group normalisation: x (B, ..., C) normalised over all positions and the C / groups channels of a group, then
// act(normalised * weight + bias) with weight, bias (C) or none -> the same extents. Wu and He 2018.

#include <ul/backend/kernels/group_norm.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace op {

struct group_norm {
  static constexpr const char* name = "group_norm";
  extent groups = 32;
  double eps = 1e-5;
  activation act = activation::none;

  template <backend B, element T>
  struct saved {
    tensor<B, T> x, weight, bias;
    tensor<B, compute_t<T>> mean, rstd;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight,
                       const tensor<B, T>& bias) const {
    if (x.rank() < 2) fail(name, ": x is ", x.shape(), ", expected (B, ..., C)");
    const extent C = x.shape()[-1];
    if (groups < 1 || C % groups != 0) fail(name, ": ", C, " channels do not divide into ", groups, " groups");
    if (weight && weight.size() != C) fail(name, ": weight is ", weight.shape(), ", x has ", C, " channels");
    if (bias && bias.size() != C) fail(name, ": bias is ", bias.shape(), ", x has ", C, " channels");
    const group_norm_shape s = shape(x.shape());
    tensor<B, T> y(x.device(), x.shape());
    const tensor<B, compute_t<T>> mean(x.device(), {s.batch, groups}), rstd(x.device(), {s.batch, groups});
    if (y.size() != 0)
      launch(x.device(), group_norm_forward<T>{.shape = s,
                                               .x = x.data(),
                                               .weight = weight.data(),
                                               .bias = bias.data(),
                                               .y = y.data(),
                                               .mean = mean.data(),
                                               .rstd = rstd.data(),
                                               .eps = eps,
                                               .act = act});
    if (keep) *keep = {x, weight, bias, mean, rstd};
    return y;
  }

  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return forward(static_cast<saved<B, T>*>(nullptr), kept.x, kept.weight, kept.bias);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx, gradient<B, master_t<T>>& dweight,
               gradient<B, master_t<T>>& dbias) const {
    B& device = dy.device();
    const extents channels{dy.shape()[-1]};
    const auto d = dx.into(device, dy.shape());
    master_t<T>*to_weight = dweight.adding(device, channels), *to_bias = dbias.adding(device, channels);
    if (dy.size() != 0 && (d.data || to_weight || to_bias))
      launch(device, group_norm_backward<T>{.shape = shape(dy.shape()),
                                            .x = kept.x.data(),
                                            .weight = kept.weight.data(),
                                            .bias = kept.bias.data(),
                                            .mean = kept.mean.data(),
                                            .rstd = kept.rstd.data(),
                                            .act = act,
                                            .dy = dy.data(),
                                            .dx = d.data,
                                            .mode = d.mode,
                                            .dweight = to_weight,
                                            .dbias = to_bias});
  }

 private:
  group_norm_shape shape(const extents& x) const { return {x[0], x.product(1, x.rank() - 1), x[-1], groups}; }
};

}  // namespace op

// group_norm(x, weight, bias, {.groups = 32, .eps = 1e-5, .act = activation::silu})
template <tensor_like X, tensor_like W, tensor_like Bias>
auto group_norm(const X& x, const W& weight, const Bias& bias, const op::group_norm& settings = {}) {
  return apply(settings, x, weight, bias);
}

}  // namespace ul
