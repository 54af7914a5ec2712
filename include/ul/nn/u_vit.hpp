#pragma once
// The UViT: stages at falling, then rising resolution, one residual skip for each level, and a transformer in the
// middle. Hoogeboom, Heek and Salimans 2023; one residual skip for each level: Hoogeboom et al. 2024 (SiD2). A stage is
// made of convolutions or of transformer blocks; with the latter at every level it is a ViT of several levels.

#include <optional>
#include <vector>

#include <ul/nn/final_norm.hpp>
#include <ul/nn/noise_embedding.hpp>
#include <ul/nn/patches.hpp>
#include <ul/nn/resnet_block.hpp>
#include <ul/nn/transformer.hpp>

namespace ul::nn {

enum class stage_kind { convolution, transformer };

struct u_vit_level {
  extent channels = 0;
  extent blocks = 2;  // on each side; of the last level once
  stage_kind kind = stage_kind::convolution;
};

struct u_vit_options {
  extents grid = {};  // of x; must divide by patch, and by 2 once more for each further level
  extent in = 0;
  extent out = 0;                        // 0: in
  extent patch = 1;                      // of x, before the first level
  std::vector<u_vit_level> levels = {};  // finest first
  extent latent = 0;                     // channels of a latent that is added to the tokens of the last level
  noise_embedding_options noise = {};
  resnet_options convolution = {};             // of convolution stages; channels, axes and embedding are filled in
  transformer_block_options transformer = {};  // of transformer stages; channels, heads and embedding are filled in
  extent head_depth = 64;                      // a transformer stage has channels / head_depth heads
  position positions = position::learned;      // of transformer stages, on the way down
  initial last = initial::standard;            // of the last layer
};

template <backend B, element T>
struct u_vit_condition {
  tensor<B, compute_t<T>> noise = {};  // (B): log-SNR or time
  tensor<B, std::int32_t> label = {};  // (B)
  var<B, T> context = {};              // (B, M, F)
  var<B, T> latent = {};               // (B, grid of the last level..., latent)
  const key* dropout = nullptr;
};

// Blocks of one kind at one resolution. Parameters: 0/..., 1/..., and positions/weight where learned.
template <backend B, element T>
class u_vit_stage {
 public:
  // `positions`: none on the way up, where the tokens know them already, unless they are rotary.
  u_vit_stage(const scope<B, T>& s, const u_vit_options& o, const u_vit_level& level, const extents& grid,
              position positions) {
    if (level.kind == stage_kind::transformer) {
      transformer_block_options block = o.transformer;
      block.channels = level.channels;
      block.heads = o.head_depth > 0 ? level.channels / o.head_depth : 0;
      block.embedding = o.noise.features;
      transformer_.emplace(
          s, transformer_options{.block = block, .depth = level.blocks, .positions = positions, .grid = grid});
      return;
    }
    resnet_options block = o.convolution;
    block.in = block.out = level.channels;
    block.embedding = o.noise.features;
    block.axes = grid.rank();
    for (extent i = 0; i < level.blocks; ++i) convolutions_.emplace_back(s / i, block);
  }

  var<B, T> operator()(var<B, T> h, const condition<B, T>& c) const {
    if (transformer_) return (*transformer_)(h, c);
    for (const auto& block : convolutions_) h = block(h, c);
    return h;
  }

 private:
  std::vector<resnet_block<B, T>> convolutions_;
  std::optional<transformer<B, T>> transformer_;
};

// x (B, grid..., in) -> (B, grid..., out).
// Parameters: noise/...; in/weight, in/bias; for each level i but the last down/i/..., down/i/merge/weight
// (2^axes channels, channels of the next), down/i/merge/bias; latent/weight, latent/bias; middle/...; from the last but
// one up, up/i/split/weight, up/i/split/bias, up/i/...; norm/...; out/weight, out/bias.
template <backend B, element T>
class u_vit {
 public:
  using condition_type = u_vit_condition<B, T>;

  u_vit(const scope<B, T>& s, const u_vit_options& o) {
    if (o.levels.empty()) fail("u_vit: no levels, expected at least one");
    const extent axes = o.grid.rank();
    const std::size_t last = o.levels.size() - 1;
    const position above = o.positions == position::rotary ? position::rotary : position::none;
    const u_vit_level finest = o.levels[0];
    if (o.noise.features != 0) noise_.emplace(s / "noise", o.noise);
    in_.emplace(s / "in", o.in, finest.channels, patch_options{.patch = o.patch, .axes = axes});

    std::vector<extents> grids{patch_grid(o.grid, o.patch)};
    for (std::size_t i = 0; i < last; ++i) {
      const scope<B, T> at = s / "down" / static_cast<extent>(i);
      down_.emplace_back(at, o, o.levels[i], grids[i], o.positions);
      merge_.emplace_back(at / "merge", o.levels[i].channels, o.levels[i + 1].channels, patch_options{.axes = axes});
      grids.push_back(patch_grid(grids[i], 2));
    }
    if (o.latent != 0) latent_.emplace(s / "latent", o.latent, o.levels[last].channels);
    middle_.emplace(s / "middle", o, o.levels[last], grids[last], o.positions);
    for (std::size_t i = last; i-- > 0;) {
      const scope<B, T> at = s / "up" / static_cast<extent>(i);
      split_.emplace_back(at / "split", o.levels[i + 1].channels, o.levels[i].channels, patch_options{.axes = axes});
      up_.emplace_back(at, o, o.levels[i], grids[i], above);
    }
    norm_.emplace(s / "norm", final_norm_options{.channels = finest.channels,
                                                 .embedding = o.noise.features,
                                                 .eps = o.transformer.eps,
                                                 .start = o.transformer.start});
    out_.emplace(s / "out", finest.channels, o.out != 0 ? o.out : o.in,
                 patch_options{.patch = o.patch, .axes = axes, .start = o.last});
  }

  var<B, T> operator()(const var<B, T>& x, const u_vit_condition<B, T>& told = {}) const {
    const condition<B, T> c = embedded(
        noise_, x, {.noise = told.noise, .label = told.label, .context = told.context, .dropout = told.dropout});
    std::vector<var<B, T>> skips;
    var<B, T> h = (*in_)(x);
    for (std::size_t i = 0; i < down_.size(); ++i) {
      skips.push_back(down_[i](h, c));
      h = merge_[i](skips.back());
    }
    h = (*middle_)(with_latent(h, told.latent), c);
    for (std::size_t i = 0; i < up_.size(); ++i, skips.pop_back()) h = up_[i](add(split_[i](h), skips.back()), c);
    return (*out_)((*norm_)(h, c));
  }

 private:
  var<B, T> with_latent(const var<B, T>& h, const var<B, T>& latent) const {
    if (!latent_) {
      if (latent) fail("u_vit: a latent is given, but the network was built without");
      return h;
    }
    if (!latent) fail("u_vit: no latent given, expected one on the grid of ", h.shape());
    const var<B, T> projected = (*latent_)(detail::beside(h, latent));
    if (projected.shape() != h.shape())
      fail("u_vit: the latent is ", latent.shape(), ", expected the grid of ", h.shape());
    return add(h, projected);
  }

  std::optional<noise_embedding<B, T>> noise_;
  std::optional<to_patches<B, T>> in_;
  std::vector<u_vit_stage<B, T>> down_, up_;  // up_ and split_ from the coarsest level on
  std::vector<to_patches<B, T>> merge_;
  std::vector<from_patches<B, T>> split_;
  std::optional<linear<B, T>> latent_;
  std::optional<u_vit_stage<B, T>> middle_;
  std::optional<final_norm<B, T>> norm_;
  std::optional<from_patches<B, T>> out_;
};

}  // namespace ul::nn
