#pragma once
// Models small enough for finite differences on the reference backend.

#include <ul/backend/reference.hpp>
#include <ul/latent/reconstruct.hpp>

namespace latent_test {

using namespace ul;

// Pictures that do not divide by the factor, latents that do not divide by the base model's levels.
inline latent_config tiny() {
  return {.image = {9, 11, 2},
          .classes = 3,
          .channels = 2,
          .encoder = {.patch = 2, .channels = {4, 4}, .blocks = 1, .last_blocks = 1},
          .prior = {.channels = 4, .blocks = 1, .heads = 1},
          .decoder = {.patch = 2,
                      .channels = {4},
                      .blocks = 1,
                      .middle_channels = 4,
                      .middle_blocks = 1,
                      .heads = 1,
                      .dropout = 0},
          .base = {.channels = {4, 4}, .blocks = {1, 1}, .head_depth = 4, .dropout = 0}};
}

// No zero of the start may hide a gradient.
template <class T>
void shake(parameters<reference, T>& p) {
  for (const parameter_entry& e : p.entries())
    initialise(normal_init(0.3), key(17).fold_in(hash_of(e.path)), p.part(p.value(), e).data(), e.shape.size());
}

// A model of both stages, all of it shaken.
template <class T = double>
struct shaken_model {
  reference device;
  latent_model<reference, T> m;

  explicit shaken_model(const latent_config& c = tiny()) : m(device, c) {
    m.stage1.weights.allocate(key(3));
    m.add_base().weights.allocate(key(4));
    shake(m.stage1.weights);
    shake(m.stage2->weights);
    m.stage1.scale = latent_scale(0.4);
    m.stage2->scale = latent_scale(0.5);
  }

  tensor<reference, T> pictures(extent count) {
    const extents& image = m.config().image;
    return normal<T>(device, {count, image[0], image[1], image[2]}, key(1));
  }
  tensor<reference, T> latents(extent count) { return encode(m, pictures(count)); }
};

}  // namespace latent_test
