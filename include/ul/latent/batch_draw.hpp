#pragma once
// The randomness of one batch of training: its key, which samples of the whole batch these are, and how many there are
// in all. A batch split into parts therefore meets the same times and noises.

#include <span>
#include <vector>

#include <ul/core/key.hpp>
#include <ul/core/uniform.hpp>
#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/time_sampling.hpp>

namespace ul {

struct batch_draw {
  key noise;
  extent first = 0;
  extent count = 0;

  // One key for each of the n samples of this part, for one use.
  std::vector<key> sample_keys(extent n, std::uint64_t use) const {
    std::vector<key> keys;
    for (extent i = 0; i < n; ++i) keys.push_back(noise.split(use).fold_in(static_cast<std::uint64_t>(first + i)));
    return keys;
  }

  // What a v-predicting network's loss needs of each sample, at times stratified over the whole batch.
  template <schedule S, weighting W>
  std::vector<loss_coefficients> coefficients(extent n, std::uint64_t use, const S& s, const W& w) const {
    const double u = uniform_at<double>(noise.split(use), 0);
    std::vector<loss_coefficients> at;
    for (extent i = 0; i < n; ++i) at.push_back(coefficients_at(s, w, v_prediction{}, stratified(u, first + i, count)));
    return at;
  }
};

// Training follows the latents' rms and drops features and labels; evaluation leaves everything as it stands.
enum class mode { train, evaluate };

}  // namespace ul
