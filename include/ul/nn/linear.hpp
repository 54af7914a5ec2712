#pragma once
// The linear layer as a block.

#include <ul/grad/apply.hpp>
#include <ul/nn/initial.hpp>
#include <ul/op/linear.hpp>

namespace ul::nn {

struct linear_options {
  bool bias = true;
  activation act = activation::none;
  initial start = initial::standard;
};

// x (..., in) -> act(x weight + bias) (..., out). On a feature map this is the 1x1 convolution.
// Parameters: weight (in, out), bias (out).
template <backend B, element T>
class linear {
 public:
  linear(const scope<B, T>& s, extent in, extent out, const linear_options& o = {})
      : act_(o.act),
        weight_(s.declare("weight", {in, out}, initial_values(o.start, in))),
        bias_(o.bias ? s.declare("bias", {out}, initial_values(o.start, in)) : param<B, T>()) {}

  var<B, T> operator()(const var<B, T>& x) const { return ul::linear(x, weight_, bias_, {.act = act_}); }

  const param<B, T>& weight() const { return weight_; }

 private:
  activation act_;
  param<B, T> weight_, bias_;
};

}  // namespace ul::nn
