#pragma once
// A transformer over the patches of a feature map (ViT); with a noise level the DiT. Dosovitskiy et al. 2021; Peebles
// and Xie 2023.

#include <ul/nn/final_norm.hpp>
#include <ul/nn/noise_embedding.hpp>
#include <ul/nn/patches.hpp>
#include <ul/nn/transformer.hpp>

namespace ul::nn {

struct vit_options {
  extents grid = {};  // of x
  extent in = 0;
  extent out = 0;  // 0: in
  extent patch = 1;
  noise_embedding_options noise = {};
  transformer_options stack = {};    // its grid, and its blocks' embedding, are filled in from the above
  initial last = initial::standard;  // of the last layer
};

// x (B, grid..., in) -> (B, grid..., out).
// Parameters: noise/...; in/weight (patch^axes in, channels), in/bias; blocks/...; norm/...; out/weight (channels,
// patch^axes out), out/bias.
template <backend B, element T>
class vit {
 public:
  using condition_type = network_condition<B, T>;

  vit(const scope<B, T>& s, const vit_options& o) {
    transformer_options stack = o.stack;
    stack.block.embedding = o.noise.features;
    stack.grid = patch_grid(o.grid, o.patch);
    const extent channels = stack.block.channels, axes = o.grid.rank();
    if (o.noise.features != 0) noise_.emplace(s / "noise", o.noise);
    in_.emplace(s / "in", o.in, channels, patch_options{.patch = o.patch, .axes = axes});
    blocks_.emplace(s / "blocks", stack);
    norm_.emplace(
        s / "norm",
        final_norm_options{
            .channels = channels, .embedding = o.noise.features, .eps = stack.block.eps, .start = stack.block.start});
    out_.emplace(s / "out", channels, o.out != 0 ? o.out : o.in,
                 patch_options{.patch = o.patch, .axes = axes, .start = o.last});
  }

  var<B, T> operator()(const var<B, T>& x, const network_condition<B, T>& told = {}) const {
    const condition<B, T> c = embedded(noise_, x, told);
    return (*out_)((*norm_)((*blocks_)((*in_)(x), c), c));
  }

 private:
  std::optional<noise_embedding<B, T>> noise_;
  std::optional<to_patches<B, T>> in_;
  std::optional<transformer<B, T>> blocks_;
  std::optional<final_norm<B, T>> norm_;
  std::optional<from_patches<B, T>> out_;
};

}  // namespace ul::nn
