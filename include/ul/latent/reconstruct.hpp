#pragma once
// Pictures to latents and back: encode, the noisy z_0, decode, and all three as reconstruction. The decoder is always
// given z_0 with its noise, as in training.

#include <ul/backend/kept_weights.hpp>
#include <ul/diffusion/sampler_kind.hpp>
#include <ul/diffusion/tensor_state.hpp>
#include <ul/latent/model.hpp>
#include <ul/latent/sample_noise.hpp>

namespace ul {

struct decode_options {
  extent steps = 20;
  sampler_kind sampler = sampler_kind::ancestral;
};

namespace detail {

// A v-predicting network as a denoiser of a batch whose samples are all at one level.
template <backend B, element T, class Network>
auto batch_denoiser(Network network) {
  return denoiser_of(v_prediction{}, [network](const tensor<B, T>& x_t, double logsnr) {
    const auto level = full<compute_t<T>>(x_t.device(), {x_t.shape()[0]}, logsnr);
    return network(var<B, T>(x_t), level).value();
  });
}

template <class Keys>
void check_keys(const char* what, const Keys& keys, extent samples) {
  if (static_cast<extent>(keys.size()) != samples)
    fail(what, ": ", keys.size(), " keys for ", samples, " samples, expected one for each");
}

}  // namespace detail

// x (B, H, W, C), values in [-1, 1] -> z_clean (B, h, w, c).
template <backend B, element T>
tensor<B, T> encode(const latent_model<B, T>& m, const tensor<B, T>& x) {
  return m.stage1.networks.encoder(var<B, T>(x)).value();
}

// z_clean (B, h, w, c), a key for each sample -> z_0 at unit variance (B, h, w, c), what the decoder is given.
template <backend B, element T>
tensor<B, T> noisy_latent(const latent_model<B, T>& m, const tensor<B, T>& z, std::span<const key> keys) {
  detail::check_keys("noisy_latent", keys, z.shape()[0]);
  const auto eps = sample_noise<T>(z.device(), z.shape(), keys, noise_use::encoder)(-1);
  return noisy_latent(m.config(), m.stage1.scale, var<B, T>(z), eps).value();
}

// z_0 at unit variance (B, h, w, c), a key for each sample -> pictures (B, H, W, C), values mostly in [-1, 1].
// The observer is called after each step and may stop it (diffusion/sampler.hpp); then the state is returned as it is.
template <backend B, element T, class Observer = no_observer>
tensor<B, T> decode(const latent_model<B, T>& m, const tensor<B, T>& z_0, std::span<const key> keys,
                    const decode_options& o = {}, Observer&& observer = {}) {
  using state = tensor<B, T>;
  const latent_config& c = m.config();
  if (z_0.shape().rank() != 4 || z_0.shape().without(0) != c.latent())
    fail("decode: z_0 is ", z_0.shape(), ", expected (B, h, w, c) with ", c.latent());
  const extent n = z_0.shape()[0];
  detail::check_keys("decode", keys, n);
  const auto denoiser = detail::batch_denoiser<B, T>([&](const var<B, T>& x_t, const tensor<B, compute_t<T>>& logsnr) {
    return m.stage1.networks.decoder(x_t, logsnr, var<B, T>(z_0));
  });
  const auto noise = sample_noise<T>(z_0.device(), {n, c.image[0], c.image[1], c.image[2]}, keys, noise_use::decoder);
  const logsnr_grid grid = uniform_time_grid(decoder_schedule(c.decoder), o.steps).then(logsnr_of_clean);
  const kept_weights kept(m.device());
  return sample_by<state>(o.sampler, denoiser, noise(-1), grid, noise, observer);
}

// x (B, H, W, C), a key for each sample -> what the decoder makes of their latents, (B, H, W, C).
template <backend B, element T>
tensor<B, T> reconstruct(const latent_model<B, T>& m, const tensor<B, T>& x, std::span<const key> keys,
                         const decode_options& o = {}) {
  return decode(m, noisy_latent(m, encode(m, x), keys), keys, o);
}

}  // namespace ul
