#pragma once
// Self-attention between the positions of a feature map, as convolutional networks use it.

#include <ul/nn/attention.hpp>
#include <ul/op/arithmetic.hpp>

namespace ul::nn {

struct attention_block_options {
  extent channels = 0;
  extent heads = 1;
  extent groups = 32;
  double eps = 1e-5;
  initial out = initial::standard;
};

// x (B, spatial..., channels) -> x + attention(norm(x)) (B, spatial..., channels).
// Parameters: norm/weight, norm/bias, qkv/weight, qkv/bias, out/weight, out/bias.
template <backend B, element T>
class attention_block {
 public:
  attention_block(const scope<B, T>& s, const attention_block_options& o)
      : norm_(s / "norm", o.channels, {.groups = o.groups, .eps = o.eps}),
        attention_(s, {.channels = o.channels, .heads = o.heads, .out = o.out}) {}

  var<B, T> operator()(const var<B, T>& x) const {
    const extents& shape = x.shape();
    const extent positions = shape.product(1, shape.rank() - 1);
    return add(x, reshape(attention_(reshape(norm_(x), {shape[0], positions, shape[-1]})), shape));
  }

 private:
  group_norm<B, T> norm_;
  attention<B, T> attention_;
};

}  // namespace ul::nn
