#pragma once
// The base model of stage 2: a transformer of several levels that denoises the latents of a frozen encoder, given the
// class. It is what samples are made with.

#include <ul/latent/config.hpp>
#include <ul/latent/grid.hpp>
#include <ul/nn/u_vit.hpp>

namespace ul {

inline nn::u_vit_options u_vit_of_base(const latent_config& c) {
  const base_config& b = c.base;
  std::vector<nn::u_vit_level> levels;
  for (std::size_t i = 0; i < b.channels.size(); ++i)
    levels.push_back({.channels = b.channels[i], .blocks = b.blocks[i], .kind = nn::stage_kind::transformer});
  return {.grid = base_grid(c),
          .in = c.channels,
          .levels = levels,
          .noise = {.features = b.channels[0], .classes = c.classes},
          .transformer = {.qk_norm = true, .dropout = b.dropout, .start = nn::initial::zero},
          .head_depth = b.head_depth,
          .last = nn::initial::zero};
}

// u_t (B, h, w, c), a latent at unit variance, its log-SNR (B), and with classes the label (B) -> v^ (B, h, w, c). The
// label `classes` stands for no class. It starts as v^ = 0. Parameters as of nn::u_vit.
template <backend B, element T>
class latent_base {
 public:
  latent_base(const scope<B, T>& s, const latent_config& c)
      : latent_(c.latent()), grid_(base_grid(c)), network_(s, u_vit_of_base(c)) {}

  var<B, T> operator()(const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr,
                       const tensor<B, std::int32_t>& label = {}, const key* dropout = nullptr) const {
    return cropped(network_(padded(u_t, grid_), {.noise = logsnr, .label = label, .dropout = dropout}),
                   latent_.without(-1));
  }

 private:
  extents latent_, grid_;
  nn::u_vit<B, T> network_;
};

}  // namespace ul
