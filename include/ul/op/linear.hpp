#pragma once
// The linear layer: x (..., in), weight (in, out), bias (out) or none -> y (..., out) = act(x weight + bias).

#include <ul/op/op.hpp>

namespace ul::op {

struct linear {
  static constexpr const char* name = "linear";
  activation act = activation::none;

  template <backend B, element T>
  struct saved {
    tensor<B, T> x, weight, z;  // z: the input of the activation, if there is one
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x, const tensor<B, T>& weight,
                       const tensor<B, T>& bias = {}) const {
    if (weight.rank() != 2) fail(name, ": weight is ", weight.shape(), ", expected (in, out)");
    const extent in = weight.shape()[0], out = weight.shape()[1];
    if (x.rank() == 0 || x.shape()[-1] != in) fail(name, ": x is ", x.shape(), ", weight expects ", in, " features");
    if (bias && bias.size() != out) fail(name, ": bias is ", bias.shape(), ", weight gives ", out, " features");
    tensor<B, T> y(x.device(), x.shape().with(-1, out));
    const bool apart = keep != nullptr && act != activation::none;
    if (y.size() != 0)
      x.device().gemm(gemm_args<T>{.m = x.shape().product(0, x.rank() - 1),
                                   .n = out,
                                   .k = in,
                                   .a = x.data(),
                                   .lda = in,
                                   .b = weight.data(),
                                   .ldb = out,
                                   .c = y.data(),
                                   .ldc = out,
                                   .bias = bias.data(),
                                   .act = apart ? activation::none : act});
    if (keep) *keep = {x, weight, apart ? y : tensor<B, T>()};
    return apart ? activated(y) : y;
  }

  // The activation is computed again, from z, where it followed the product; the product never is.
  static constexpr bool repeats_without_input = true;
  template <backend B, element T>
  bool repeats_cheaply(const saved<B, T>& kept) const {
    return static_cast<bool>(kept.z);
  }
  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return activated(kept.z);
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
    const extent in = kept.weight.shape()[0], out = kept.weight.shape()[1], rows = kept.x.size() / (in ? in : 1);
    tensor<B, T> dz = dy;
    if (kept.z && dy.size() != 0) {
      dz = tensor<B, T>(device, dy.shape());
      const space s{1, 1, dy.size()};
      device.map(s, activated_chain{act}, dense(dz.data(), s), dense<const T>(kept.z.data(), s),
                 dense<const T>(dy.data(), s));
    }
    if (const auto d = dx.into(device, kept.x.shape()); d.data)
      device.gemm(gemm_args<T>{.m = rows,
                               .n = in,
                               .k = out,
                               .a = dz.data(),
                               .lda = out,
                               .b = kept.weight.data(),
                               .ldb = out,
                               .b_layout = transpose::yes,
                               .c = d.data,
                               .ldc = in,
                               .mode = d.mode});
    if (const auto d = dweight.into(device, kept.weight.shape()); d.data)
      device.gemm(gemm_args<T, master_t<T>>{.m = in,
                                            .n = out,
                                            .k = rows,
                                            .a = kept.x.data(),
                                            .lda = in,
                                            .a_layout = transpose::yes,
                                            .b = dz.data(),
                                            .ldb = out,
                                            .c = d.data,
                                            .ldc = out,
                                            .mode = d.mode});
    const space columns{1, rows, out};
    dbias.fold(device, {out}, columns, detail::same{}, dense<const T>(dz.data(), columns));
  }

 private:
  template <backend B, element T>
  tensor<B, T> activated(const tensor<B, T>& z) const {
    tensor<B, T> y(z.device(), z.shape());
    const space s{1, 1, z.size()};
    z.device().map(s, activated_value{act}, dense(y.data(), s), dense<const T>(z.data(), s));
    return y;
  }

  struct activated_value {
    activation act;
    template <class V>
    UL_HD V operator()(V z) const {
      return activate(act, z);
    }
  };
  struct activated_chain {
    activation act;
    template <class V>
    UL_HD V operator()(V z, V dy) const {
      return activate_derivative(act, z) * dy;
    }
  };
};

}  // namespace ul::op

namespace ul {

template <tensor_like X, tensor_like W>
auto linear(const X& x, const W& weight, const op::linear& settings = {}) {
  return apply(settings, x, weight);
}
template <tensor_like X, tensor_like W, tensor_like Bias>
auto linear(const X& x, const W& weight, const Bias& bias, const op::linear& settings = {}) {
  return apply(settings, x, weight, bias);
}

}  // namespace ul
