#pragma once
// The decoder: a U-ViT that denoises the picture given the noisy latent z_0.

#include <ul/latent/config.hpp>
#include <ul/latent/grid.hpp>
#include <ul/nn/u_vit.hpp>

namespace ul {

inline nn::u_vit_options u_vit_of(const latent_config& c) {
  const decoder_config& d = c.decoder;
  std::vector<nn::u_vit_level> levels;
  for (const extent width : d.channels) levels.push_back({.channels = width, .blocks = d.blocks});
  levels.push_back({.channels = d.middle_channels, .blocks = d.middle_blocks, .kind = nn::stage_kind::transformer});
  return {.grid = padded_grid(c),
          .in = c.image[2],
          .patch = d.patch,
          .levels = levels,
          .latent = c.channels,
          .noise = {.features = d.middle_channels},
          .convolution = {.groups = norm_groups(levels[0].channels), .last = nn::initial::zero},
          .transformer = {.qk_norm = true, .dropout = d.dropout, .start = nn::initial::zero},
          .head_depth = d.middle_channels / d.heads,
          .last = nn::initial::zero};
}

// x_t (B, H, W, C), its log-SNR (B), and z_0 at unit variance (B, h, w, c) -> v^ (B, H, W, C). It starts as v^ = 0.
// Parameters as of nn::u_vit.
template <backend B, element T>
class latent_decoder {
 public:
  latent_decoder(const scope<B, T>& s, const latent_config& c) : config_(c), network_(s, u_vit_of(c)) {}

  var<B, T> operator()(const var<B, T>& x_t, const tensor<B, compute_t<T>>& logsnr, const var<B, T>& z_0,
                       const key* dropout = nullptr) const {
    return cropped(network_(padded(x_t, padded_grid(config_)), {.noise = logsnr, .latent = z_0, .dropout = dropout}),
                   config_.image.without(-1));
  }

 private:
  latent_config config_;
  nn::u_vit<B, T> network_;
};

}  // namespace ul
