#pragma once
// Models by name, from one that trains in a minute on two cores to the paper's. The picture's extents and the number of
// classes are those of the data they are meant for; a run puts its own data's in their place.

#include <array>
#include <string_view>

#include <ul/io/nearest_name.hpp>
#include <ul/io/printable.hpp>
#include <ul/latent/config.hpp>

namespace ul {

inline constexpr std::array<std::string_view, 4> latent_preset_names{"tiny", "fashion", "cifar", "paper-512"};

namespace detail {

// A minute of training: shapes and colours of small pictures, nothing finer. The loss factor is high so that information
// enters the latents from the start.
inline latent_config tiny_preset() {
  return {.image = {32, 32, 3},
          .classes = 4,
          .channels = 4,
          .encoder = {.channels = {24, 48}, .blocks = 1, .last_blocks = 1},
          .prior = {.channels = 64, .blocks = 2, .heads = 2},
          .decoder = {.channels = {32},
                      .blocks = 1,
                      .middle_channels = 64,
                      .middle_blocks = 2,
                      .heads = 2,
                      .bias = 4,
                      .loss_factor = 10},
          .base = {.channels = {64, 96}, .blocks = {1, 2}}};
}

inline latent_config fashion_preset() {
  return {.image = {28, 28, 1},
          .classes = 10,
          .channels = 8,
          .encoder = {.channels = {32, 64}},
          .prior = {.channels = 96, .blocks = 4, .heads = 3},
          .decoder = {.channels = {48}, .middle_channels = 128, .middle_blocks = 3, .heads = 4, .loss_factor = 3},
          .base = {.channels = {128, 192}, .blocks = {1, 4}}};
}

inline latent_config cifar_preset() {
  return {.image = {32, 32, 3},
          .classes = 10,
          .channels = 12,
          .encoder = {.channels = {48, 96}},
          .prior = {.channels = 128, .blocks = 4, .heads = 4},
          .decoder = {.channels = {64}, .middle_channels = 192, .middle_blocks = 4, .heads = 6},
          .base = {.channels = {192, 320}, .blocks = {2, 6}}};
}

// ImageNet at 512 x 512. Heek et al., arXiv 2602.17270, section 4; table 2 for the loss factor; its six
// blocks of the base model's first level stand half before and half behind the second.
inline latent_config paper_512_preset() {
  return {.image = {512, 512, 3},
          .classes = 1000,
          .channels = 32,
          .encoder = {.channels = {128, 256, 512, 512}},
          .prior = {.channels = 1024, .blocks = 8, .heads = 16},
          .decoder = {.channels = {128, 256, 512},
                      .middle_channels = 1024,
                      .middle_blocks = 8,
                      .heads = 16,
                      .shift = -4.1588830833596715,  // 2 log(64 / 512)
                      .bias = 0,
                      .loss_factor = 1.5},
          .base = {.channels = {512, 1024}, .blocks = {3, 16}, .head_depth = 64}};
}

}  // namespace detail

// Throws ul::error listing the known names for another one.
inline latent_config latent_preset(std::string_view name) {
  constexpr latent_config (*presets[])() = {detail::tiny_preset, detail::fashion_preset, detail::cifar_preset,
                                            detail::paper_512_preset};
  for (std::size_t i = 0; i < latent_preset_names.size(); ++i)
    if (latent_preset_names[i] == name) return presets[i]();
  const std::string_view meant = nearest_name(name, latent_preset_names);
  std::string known;
  for (const std::string_view each : latent_preset_names) known += (known.empty() ? "" : ", ") + std::string(each);
  fail("preset: \"", printable(name), "\" is not known", meant.empty() ? "" : ", did you mean ", meant,
       meant.empty() ? "" : "?", " The presets are ", known);
}

}  // namespace ul
