#pragma once
// The noise of sampling. Each sample has a seed of its own and draws from that alone, so it is the same picture in any
// batch, on any number of threads.

#include <vector>

#include <ul/tensor/create.hpp>

namespace ul {

// What draws are for; they never meet.
enum class noise_use : std::uint64_t { encoder, latents, decoder, bits };

// One key for each seed.
inline std::vector<key> sample_keys(std::span<const std::uint64_t> seeds) {
  std::vector<key> keys;
  for (const std::uint64_t seed : seeds) keys.push_back(key(seed));
  return keys;
}

// Draw i of every sample of a batch of `shape` (B, ...), a key for each: a noise source of the samplers. The state at
// the first level is draw -1.
template <element T, backend B>
auto sample_noise(B& device, const extents& shape, std::span<const key> keys, noise_use use) {
  return [&device, shape, keys, use](extent draw) {
    std::vector<key> each;
    for (const key& k : keys)
      each.push_back(k.split(static_cast<std::uint64_t>(use)).fold_in(static_cast<std::uint64_t>(draw)));
    return normal<T>(device, shape, each);
  };
}

}  // namespace ul
