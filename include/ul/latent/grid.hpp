#pragma once
// Fitting pictures to grids: networks pad to a multiple of the model's factor, and crop again.

#include <numeric>

#include <ul/grad/apply.hpp>
#include <ul/latent/config.hpp>
#include <ul/op/pad.hpp>

namespace ul {

// Groups of a group norm: at most 32, of at least 4 channels where there are so many.
inline extent norm_groups(extent channels) { return channels % 4 == 0 ? std::gcd(channels / 4, extent{32}) : 1; }

// The sides of the padded picture: each the next multiple of the factor.
inline extents padded_grid(const latent_config& c) {
  return {round_up(c.image[0], c.factor(), "latent"), round_up(c.image[1], c.factor(), "latent")};
}

// The sides of the latent grid as the base model sees it: each the next multiple of what its levels halve.
inline extents base_grid(const latent_config& c) {
  extent step = 1;
  for (std::size_t i = 1; i < c.base.channels.size(); ++i) step = checked_mul(step, 2, "latent");
  const extents latent = c.latent();
  return {round_up(latent[0], step, "latent"), round_up(latent[1], step, "latent")};
}

// x (B, H, W, C) -> (B, H', W', C) with zeros below and to the right; and back to x's sides.
template <backend B, element T>
var<B, T> padded(const var<B, T>& x, const extents& grid) {
  const extent below = grid[0] - x.shape()[1], right = grid[1] - x.shape()[2];
  return below == 0 && right == 0 ? x : pad(x, {.high = {below, right}});
}
template <backend B, element T>
var<B, T> cropped(const var<B, T>& x, const extents& grid) {
  const extent below = x.shape()[1] - grid[0], right = x.shape()[2] - grid[1];
  return below == 0 && right == 0 ? x : crop(x, {.high = {below, right}});
}

}  // namespace ul
