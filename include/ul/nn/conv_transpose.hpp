#pragma once
// Transposed convolution as a block: the adjoint of a strided convolution, which enlarges a feature map.

#include <ul/nn/conv.hpp>
#include <ul/op/conv_transpose.hpp>

namespace ul::nn {

struct conv_transpose_options {
  extent kernel = 4;  // along every axis
  extent stride = 2;
  extent pad = 1;   // what is cut from both ends of every axis
  extent axes = 2;  // 1 to 3 spatial axes
  bool bias = true;
  initial start = initial::standard;
};

// x (B, spatial..., in) -> (B, (spatial - 1) stride - 2 pad + kernel, ..., out).
// Parameters: weight (kernel..., out, in), bias (out); both start by a fan-in of out times the kernel's size.
template <backend B, element T>
class conv_transpose {
 public:
  conv_transpose(const scope<B, T>& s, extent in, extent out, const conv_transpose_options& o = {})
      : stride_(o.stride), pad_(o.pad) {
    const extents shape = kernel_shape(o.kernel, o.axes, out, in);
    const initialiser init = initial_values(o.start, shape.product(0, o.axes + 1));
    weight_ = s.declare("weight", shape, init);
    if (o.bias) bias_ = s.declare("bias", {out}, init);
  }

  var<B, T> operator()(const var<B, T>& x) const {
    return ul::conv_transpose(x, weight_, bias_, {.stride = stride_, .pad = pad_});
  }

 private:
  extent stride_, pad_;
  param<B, T> weight_, bias_;
};

}  // namespace ul::nn
