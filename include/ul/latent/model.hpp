#pragma once
// A whole Unified Latents model: the autoencoder of stage 1 with its prior and, after stage 2, the base model; each
// with the scale of its latents, which belongs to its weights.

#include <optional>

#include <ul/latent/stage1.hpp>
#include <ul/latent/stage2.hpp>

namespace ul {

template <backend B, element T>
struct autoencoder {
  parameters<B, T> weights;
  stage1_networks<B, T> networks;
  latent_scale scale;

  // Declares the networks; `weights.allocate` makes them.
  autoencoder(B& device, const latent_config& c) : weights(device), networks(weights.root(), c) {}
};

template <backend B, element T>
struct base_model {
  parameters<B, T> weights;
  latent_base<B, T> network;
  latent_scale scale;

  base_model(B& device, const latent_config& c) : weights(device), network(weights.root(), c) {}
};

// Calls of a const model may come from several threads at once. A copy shares the weights.
template <backend B, element T = float>
struct latent_model {
  autoencoder<B, T> stage1;
  std::optional<base_model<B, T>> stage2;

  latent_model(B& device, const latent_config& c) : stage1(device, c) {}

  const latent_config& config() const { return stage1.networks.config; }
  B& device() const { return stage1.weights.device(); }

  // Adds the base model's networks, not yet allocated.
  base_model<B, T>& add_base() { return stage2.emplace(device(), config()); }
};

}  // namespace ul
