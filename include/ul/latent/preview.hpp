#pragma once
// Looking at a stage-1 model: reconstructions, and samples from its own prior. The decoder receives the noisy z_0: the
// latent sampler ends at lambda_z(0) and its state there is the latent.

#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/tensor_state.hpp>
#include <ul/latent/stage1.hpp>

namespace ul {

struct preview_options {
  extent steps = 50;  // of each of the two samplers
  key noise;          // sample i draws from noise.fold_in(i) alone, whatever the batch
};

namespace detail {

// A v-predicting network as a denoiser of a batch whose samples are all at one level.
template <backend B, element T, class Network>
auto batch_denoiser(Network network) {
  return denoiser_of(v_prediction{}, [network](const tensor<B, T>& x_t, double logsnr) {
    const auto level = full<compute_t<T>>(x_t.device(), {x_t.shape()[0]}, logsnr);
    return network(x_t, level).value();
  });
}

// Draw i of every sample of a batch.
template <element T, backend B>
auto batch_noise(B& device, const extents& shape, key k, std::uint64_t use) {
  return [&device, shape, k, use](extent draw) {
    std::vector<key> keys;
    for (extent i = 0; i < shape[0]; ++i)
      keys.push_back(k.fold_in(static_cast<std::uint64_t>(i)).split(use).fold_in(static_cast<std::uint64_t>(draw)));
    return normal<T>(device, shape, keys);
  };
}

}  // namespace detail

// The decoder's picture of z_0 at unit variance: (B, h, w, c) -> (B, H, W, C).
template <backend B, element T>
tensor<B, T> decode(const stage1_networks<B, T>& nets, const tensor<B, T>& z_0, const preview_options& o) {
  const latent_config& c = nets.config;
  B& device = z_0.device();
  const extents shape{z_0.shape()[0], c.image[0], c.image[1], c.image[2]};
  const auto noise = detail::batch_noise<T>(device, shape, o.noise, 2);
  const logsnr_grid grid = uniform_time_grid(decoder_schedule(c.decoder), o.steps).then(logsnr_of_clean);
  return sample_ancestral(
      detail::batch_denoiser<B, T>([&](const tensor<B, T>& x_t, const tensor<B, compute_t<T>>& logsnr) {
        return nets.decoder(var<B, T>(x_t), logsnr, var<B, T>(z_0));
      }),
      noise(-1), grid, noise);
}

// x -> z_clean -> z_0, with its noise -> decoder: (B, H, W, C) -> the same.
template <backend B, element T>
tensor<B, T> reconstruct(const stage1_networks<B, T>& nets, const latent_scale& s, const tensor<B, T>& x,
                         const preview_options& o) {
  const var<B, T> z = nets.encoder(var<B, T>(x));
  const auto eps = detail::batch_noise<T>(x.device(), z.shape(), o.noise, 0)(-1);
  return decode(nets, noisy_latent(nets.config, s, z, eps).value(), o);
}

// Pictures (count, H, W, C) from nothing: the prior's sampler ends at lambda_z(0), then the decoder.
template <backend B, element T>
tensor<B, T> sample_from_prior(const stage1_networks<B, T>& nets, const latent_scale& s, B& device, extent count,
                               const preview_options& o) {
  const latent_config& c = nets.config;
  const extents latent = c.latent();
  const extents shape{count, latent[0], latent[1], latent[2]};
  const auto noise = detail::batch_noise<T>(device, shape, o.noise, 1);
  const tensor<B, T> u_0 = sample_ancestral(
      detail::batch_denoiser<B, T>([&](const tensor<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) {
        return nets.prior(var<B, T>(u_t), logsnr);
      }),
      noise(-1), uniform_time_grid(prior_schedule(c, s), o.steps), noise);
  return decode(nets, u_0, o);
}

}  // namespace ul
