#pragma once
// Convolution as a block, over one, two or three spatial axes.

#include <ul/grad/apply.hpp>
#include <ul/nn/initial.hpp>
#include <ul/op/conv.hpp>

namespace ul::nn {

struct conv_options {
  extent kernel = 3;  // along every axis
  extent stride = 1;
  extent pad =
      same_pad;     // on both ends of every axis; same_pad: kernel / 2, so that stride 1 keeps odd kernels' extents
  extent axes = 2;  // 1 to 3 spatial axes
  bool bias = true;
  initial start = initial::standard;
};

// The extents of a kernel of `axes` equal sides, with two channel axes behind.
inline extents kernel_shape(extent kernel, extent axes, extent in, extent out) {
  if (axes < 1 || axes > 3) fail("conv: ", axes, " spatial axes, expected 1 to 3");
  if (kernel < 1) fail("conv: a kernel of ", kernel, ", expected at least 1");
  extent shape[extents::max_rank];
  for (extent i = 0; i < axes; ++i) shape[i] = kernel;
  shape[axes] = in;
  shape[axes + 1] = out;
  return extents(shape, axes + 2);
}

// x (B, spatial..., in) -> (B, (spatial + 2 pad - kernel) / stride + 1, ..., out).
// Parameters: weight (kernel..., in, out), bias (out).
template <backend B, element T>
class conv {
 public:
  conv(const scope<B, T>& s, extent in, extent out, const conv_options& o = {}) : stride_(o.stride), pad_(o.pad) {
    const extents shape = kernel_shape(o.kernel, o.axes, in, out);
    const initialiser init = initial_values(o.start, shape.product(0, o.axes + 1));
    weight_ = s.declare("weight", shape, init);
    if (o.bias) bias_ = s.declare("bias", {out}, init);
  }

  var<B, T> operator()(const var<B, T>& x) const {
    return ul::conv(x, weight_, bias_, {.stride = stride_, .pad = pad_, .lasting = true});
  }

  const param<B, T>& weight() const { return weight_; }

 private:
  extent stride_, pad_;
  param<B, T> weight_, bias_;
};

}  // namespace ul::nn
