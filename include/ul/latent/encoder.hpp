#pragma once
// The encoder: a deterministic residual network from a picture to its clean latent.

#include <ul/latent/config.hpp>
#include <ul/latent/grid.hpp>
#include <ul/nn/patches.hpp>
#include <ul/nn/resnet_block.hpp>
#include <ul/op/patchify.hpp>

namespace ul {

// x (B, H, W, C), values in [-1, 1] -> z_clean (B, h, w, c), on the grid of latent_config::latent().
// Parameters: in/..., stage/<i>/block/<j>/..., stage/<i>/down/..., norm/..., out/....
template <backend B, element T>
class latent_encoder {
 public:
  latent_encoder(const scope<B, T>& s, const latent_config& c)
      : config_(c),
        in_(s / "in", nn::patch_size(c.encoder.patch, 2, c.image[2]), c.encoder.channels[0]),
        norm_(s / "norm", c.encoder.channels.back(),
              {.groups = norm_groups(c.encoder.channels.back()), .act = activation::silu}),
        out_(s / "out", c.encoder.channels.back(), c.channels) {
    const std::vector<extent>& channels = c.encoder.channels;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const scope<B, T> stage = s / "stage" / static_cast<extent>(i);
      if (i != 0) down_.emplace_back(stage / "down", channels[i - 1], channels[i]);
      stages_.emplace_back();
      const extent blocks = i + 1 == channels.size() ? c.encoder.last_blocks : c.encoder.blocks;
      for (extent j = 0; j < blocks; ++j)
        stages_.back().emplace_back(
            stage / "block" / j,
            nn::resnet_options{.in = channels[i], .groups = norm_groups(channels[i]), .last = nn::initial::zero});
    }
  }

  var<B, T> operator()(const var<B, T>& x) const {
    const extents& shape = x.shape();
    if (shape.rank() != 4 || shape.without(0) != config_.image)
      fail("latent_encoder: x is ", shape, ", expected (B, H, W, C) with ", config_.image);
    var<B, T> h = in_(patchify(padded(x, padded_grid(config_)), config_.encoder.patch));
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i != 0) h = down_[i - 1](h);
      for (const auto& block : stages_[i]) h = block(h);
    }
    return out_(norm_(h));
  }

 private:
  latent_config config_;
  nn::linear<B, T> in_;
  std::vector<std::vector<nn::resnet_block<B, T>>> stages_;
  std::vector<nn::downsample<B, T>> down_;
  nn::group_norm<B, T> norm_;
  nn::conv<B, T> out_;
};

}  // namespace ul
