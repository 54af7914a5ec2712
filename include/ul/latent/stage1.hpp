#pragma once
// Stage 1 of Unified Latents: encoder, prior and decoder trained jointly on L_z + L_x.
//   z_0 = alpha_0 z + sigma_0 eps, z = E(x), at the fixed log-SNR lambda_z(0)
//   L_z   the prior's diffusion bound of z with weight 1, plus the terminal KL: nats that bound the information in z_0
//   L_x   the decoder's diffusion loss of x given z_0 under the sigmoid weighting
// Source: Heek et al., Unified Latents, arXiv 2602.17270, equations 3 and 4 and algorithm 1, with the signs of
// d lambda / dt put right.

#include <ul/latent/decoder.hpp>
#include <ul/latent/encoder.hpp>
#include <ul/latent/latent_levels.hpp>
#include <ul/latent/prior.hpp>

namespace ul {

// The three networks, declared in one parameter store: "encoder/...", "prior/...", "decoder/...".
template <backend B, element T>
struct stage1_networks {
  latent_config config;
  latent_encoder<B, T> encoder;
  latent_prior<B, T> prior;
  latent_decoder<B, T> decoder;

  stage1_networks(const scope<B, T>& s, const latent_config& c)
      : config((c.validate(), c)), encoder(s / "encoder", c), prior(s / "prior", c), decoder(s / "decoder", c) {}
};

// The losses of a batch, one for each sample, in nats.
template <backend B, element T>
struct stage1_losses {
  using losses = var<B, compute_t<T>>;

  losses diffusion;  // (B): the part of L_z that depends on the prior
  losses terminal;   // (B): KL of z at the prior's last level from the standard normal
  losses decoder;    // (B): L_x
  losses normal;     // (B): what stands in for the prior's gradient in the encoder where that is stopped; or none

  // The mean over the batch of L_z: an upper bound on the information in z_0.
  double latent_nats() const { return static_cast<double>(to_scalar(mean(add(diffusion.value(), terminal.value())))); }

  // Their sum, averaged over the batch and divided by `unit`, one constant for the whole loss.
  losses total(double unit) const {
    const double each = 1 / (unit * static_cast<double>(diffusion.size()));
    const losses all = add(add(diffusion, terminal), decoder);
    return affine(sum(normal ? add(all, normal) : all), {.scale = each});
  }
};

// Where the prior's schedule runs, and the decoder's.
inline cosine_schedule prior_schedule(const latent_config& c, const latent_scale& s) {
  return latent_schedule(c, s, c.prior.logsnr_min);
}
inline cosine_schedule decoder_schedule(const decoder_config& c) {
  return {.logsnr_max = c.logsnr_max, .logsnr_min = c.logsnr_min, .shift = c.shift};
}

// The losses of x (B, H, W, C), values in [-1, 1], recorded where x is.
template <backend B, element T>
stage1_losses<B, T> stage1_loss(const stage1_networks<B, T>& nets, const var<B, T>& x, latent_scale& s,
                                const batch_draw& draw, mode m = mode::train) {
  const latent_config& c = nets.config;
  const extent n = x.shape()[0];
  B& device = x.device();
  const key dropout = draw.noise.split(5);

  const var<B, T> z = nets.encoder(x);
  if (m == mode::train) s.observe(std::sqrt(static_cast<double>(to_scalar(mean(square(z.value()))))));

  const auto eps_z0 = normal<T>(device, z.shape(), draw.sample_keys(n, 0));
  const auto eps_z = normal<T>(device, z.shape(), draw.sample_keys(n, 1));
  const auto eps_x = normal<T>(device, x.shape(), draw.sample_keys(n, 2));

  const bool stops = c.prior.stop_gradient;
  const var<B, T> seen = stops ? stop_gradient(z) : z;
  const auto at_z = draw.coefficients(n, 3, prior_schedule(c, s), elbo_weight{});
  const auto diffusion =
      latent_loss(s, seen, eps_z, std::span<const loss_coefficients>(at_z),
                  [&](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) { return nets.prior(u_t, logsnr); });
  const auto terminal = latent_kl(seen, c.prior.logsnr_min);
  const auto normal_kl = stops ? affine(latent_kl(z, c.noise_logsnr), {.scale = c.prior.normal_kl})
                               : typename stage1_losses<B, T>::losses();

  const var<B, T> z_0 = noisy_latent(c, s, z, eps_z0);
  const sigmoid_weight weight{.bias = c.decoder.bias, .loss_factor = c.decoder.loss_factor};
  const auto at_x = draw.coefficients(n, 4, decoder_schedule(c.decoder), weight);
  const auto decoder = denoising_loss(x, eps_x, std::span<const loss_coefficients>(at_x),
                                      [&](const var<B, T>& x_t, const tensor<B, compute_t<T>>& logsnr) {
                                        return nets.decoder(x_t, logsnr, z_0, m == mode::train ? &dropout : nullptr);
                                      });
  return {diffusion, terminal, decoder, normal_kl};
}

}  // namespace ul
