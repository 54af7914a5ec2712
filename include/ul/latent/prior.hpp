#pragma once
// The prior: a transformer over the positions of the latent grid that denoises the latents. Its bound counts the bits.

#include <ul/latent/config.hpp>
#include <ul/nn/vit.hpp>

namespace ul {

inline nn::vit_options vit_of(const latent_config& c) {
  const extents latent = c.latent();
  return {.grid = latent.without(-1),
          .in = latent[-1],
          .noise = {.features = c.prior.channels},
          .stack = {.block = {.channels = c.prior.channels,
                              .heads = c.prior.heads,
                              .qk_norm = true,
                              .start = nn::initial::zero},
                    .depth = c.prior.blocks,
                    .positions = nn::position::learned},
          .last = nn::initial::zero};
}

// u_t (B, h, w, c), a latent at unit variance, and its log-SNR (B) -> v^ (B, h, w, c). It starts as v^ = 0.
// Parameters as of nn::vit.
template <backend B, element T>
class latent_prior {
 public:
  latent_prior(const scope<B, T>& s, const latent_config& c) : network_(s, vit_of(c)) {}

  var<B, T> operator()(const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) const {
    return network_(u_t, {.noise = logsnr});
  }

 private:
  nn::vit<B, T> network_;
};

}  // namespace ul
