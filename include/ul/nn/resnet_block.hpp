#pragma once
// The residual block of diffusion U-Nets. Ho, Jain and Abbeel 2020; scale and shift: Dhariwal and Nichol 2021.

#include <optional>

#include <ul/nn/condition.hpp>
#include <ul/nn/dropout.hpp>
#include <ul/nn/linear.hpp>
#include <ul/nn/norm.hpp>
#include <ul/nn/resample.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/gated_add.hpp>
#include <ul/op/pool.hpp>
#include <ul/op/reshape.hpp>
#include <ul/op/slice.hpp>

namespace ul::nn {

enum class resampling { none, down, up };

// How the embedding enters: added before the second norm, or as scale and shift after it.
enum class embedding_entry { add, scale_shift };

struct resnet_options {
  extent in = 0;
  extent out = 0;        // 0: in
  extent embedding = 0;  // features of the condition's embedding; 0: the block is not told
  embedding_entry how = embedding_entry::add;
  resampling resample = resampling::none;  // inside the block, on the branch and on the skip
  extent groups = 32;
  double eps = 1e-5;
  double dropout = 0;
  extent axes = 2;
  initial last = initial::standard;  // of the last convolution
};

// x (B, spatial..., in) -> (B, spatial'..., out), spatial' the same, halved (they must be even) or doubled.
//   h = conv1(resampled(silu(norm1(x))));  h += embed(embedding);  h = conv2(dropped(silu(norm2(h))));  skip(x) + h
// Parameters: norm1/weight, norm1/bias, conv1/weight, conv1/bias, embed/weight (embedding, out, or 2 out: scale |
// shift), embed/bias, norm2/..., conv2/..., and skip/weight (in, out), skip/bias where the channels change.
template <backend B, element T>
class resnet_block {
 public:
  using condition_type = condition<B, T>;

  resnet_block(const scope<B, T>& s, const resnet_options& o)
      : options_(o),
        norm1_(s / "norm1", o.in, {.groups = o.groups, .eps = o.eps, .act = activation::silu}),
        conv1_(s / "conv1", o.in, out(o), {.axes = o.axes}),
        embed_(o.embedding == 0 ? std::optional<linear<B, T>>()
                                : linear<B, T>(s / "embed", o.embedding, (modulates(o) ? 2 : 1) * out(o))),
        norm2_(s / "norm2", out(o),
               {.groups = o.groups, .eps = o.eps, .act = modulates(o) ? activation::none : activation::silu}),
        conv2_(s / "conv2", out(o), out(o), {.axes = o.axes, .start = o.last}) {
    if (o.in != out(o)) skip_.emplace(s / "skip", o.in, out(o));
  }

  var<B, T> operator()(const var<B, T>& x, const condition<B, T>& c = {}) const {
    var<B, T> h = conv1_(resampled(norm1_(x)));
    h = embed_ ? informed(h, c.embedding) : norm2_(h);
    h = conv2_(dropped(h, conv2_.weight(), options_.dropout, c.dropout));
    const var<B, T> beside = resampled(x);
    return add(skip_ ? (*skip_)(beside) : beside, h);
  }

 private:
  static extent out(const resnet_options& o) { return o.out != 0 ? o.out : o.in; }
  static bool modulates(const resnet_options& o) { return o.embedding != 0 && o.how == embedding_entry::scale_shift; }

  var<B, T> resampled(const var<B, T>& x) const {
    switch (options_.resample) {
      case resampling::down:
        return avg_pool(x, 2);
      case resampling::up:
        return resize(x, doubled(grid_of(x)), interpolation::nearest);
      case resampling::none:
        break;
    }
    return x;
  }

  // The second norm of h and its activation, with what the embedding says.
  var<B, T> informed(const var<B, T>& h, const var<B, T>& embedding) const {
    if (!embedding) fail("resnet_block: no embedding given, expected (B, ", options_.embedding, ")");
    const var<B, T> e = (*embed_)(detail::beside(h, embedding));
    if (!modulates(options_)) return norm2_(add(h, spread(e, h)));
    const auto scale_shift = split(e, -1, 2);
    const var<B, T> n = norm2_(h);
    return silu(add(gated_add(n, scale_shift[0], n), spread(scale_shift[1], h)));
  }

  // (B, C) -> (B, 1..., C), to broadcast over the positions of h.
  static var<B, T> spread(const var<B, T>& e, const var<B, T>& h) {
    extents shape = h.shape();
    for (extent i = 1; i + 1 < shape.rank(); ++i) shape = shape.with(i, 1);
    return reshape(e, shape);
  }

  resnet_options options_;
  group_norm<B, T> norm1_;
  conv<B, T> conv1_;
  std::optional<linear<B, T>> embed_;
  group_norm<B, T> norm2_;
  conv<B, T> conv2_;
  std::optional<linear<B, T>> skip_;
};

}  // namespace ul::nn
