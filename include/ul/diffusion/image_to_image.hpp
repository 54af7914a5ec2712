#pragma once

#include <ul/diffusion/sampler.hpp>
#include <ul/diffusion/state_geometry.hpp>

namespace ul {

// Where to begin a sampler in the middle of its grid.
template <class State>
struct sampler_start {
  extent first;
  State state;
};

// Image to image: the data x noised to the level from which `strength` of the grid's steps remain. strength 1 begins at
// the first level. Give `first` to the sampler's options.
// Source: Meng et al., SDEdit, arXiv 2108.01073.
template <sampler_state State>
sampler_start<State> image_to_image_start(const State& x, const State& eps, const logsnr_grid& grid, double strength) {
  if (!(strength > 0 && strength <= 1))
    fail("image_to_image_start: strength is ", strength, ", expected above 0 and at most 1");
  const double steps = static_cast<double>(grid.steps());
  const auto remaining = static_cast<extent>(maximum(1.0, floor(strength * steps + 0.5)));
  const extent first = grid.steps() - remaining;
  return {first, noised(x, eps, grid[first])};
}

// An observer that keeps the known part of a state: after each step the state is replaced by the known data, noised to
// the level reached, where mask is 1. noise(draw) as for samplers, with draws of its own.
// Source: Lugmayr et al., RePaint, arXiv 2201.09865, equation 8, without resampling.
template <class State, class Noise>
auto keep_known(State mask, State known, Noise noise) {
  return [mask = std::move(mask), known = std::move(known), noise = std::move(noise)](const auto& step) mutable {
    const bool noisy = step.to != logsnr_of_clean;
    step.state = blended(mask, noisy ? noised(known, State(noise(step.index)), step.to) : known, step.state);
  };
}

}  // namespace ul
