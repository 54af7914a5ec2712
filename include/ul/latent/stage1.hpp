#pragma once
// Stage 1 of Unified Latents: encoder, prior and decoder trained jointly on L_z + L_x.
//   z_0 = alpha_0 z + sigma_0 eps, z = E(x), at the fixed log-SNR lambda_z(0)
//   L_z   the prior's diffusion bound of z with weight 1, plus the terminal KL: nats that bound the information in z_0
//   L_x   the decoder's diffusion loss of x given z_0 under the sigmoid weighting
// Source: Heek et al., Unified Latents, arXiv 2602.17270, equations 3 and 4 and algorithm 1, with the signs of
// d lambda / dt put right.

#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/time_sampling.hpp>
#include <ul/diffusion/training_loss.hpp>
#include <ul/latent/decoder.hpp>
#include <ul/latent/encoder.hpp>
#include <ul/latent/prior.hpp>
#include <ul/latent/scale.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/reduce.hpp>

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

  // The mean over the batch of L_z: an upper bound on the information in z_0.
  double latent_nats() const {
    return static_cast<double>(to_scalar(mean(add(diffusion.value(), terminal.value()))));
  }

  // Their sum, averaged over the batch and divided by `unit`, one constant for the whole loss.
  losses total(double unit) const {
    const double each = 1 / (unit * static_cast<double>(diffusion.size()));
    return affine(sum(add(add(diffusion, terminal), decoder)), {.scale = each});
  }
};

// The randomness of one batch: its key, which samples of the whole batch these are, and how many there are in all. A
// batch split into parts therefore meets the same times and noises.
struct batch_draw {
  key noise;
  extent first = 0;
  extent count = 0;
};

namespace detail {

// One key for each sample of the part, for one use.
inline std::vector<key> sample_keys(const batch_draw& d, extent n, std::uint64_t use) {
  std::vector<key> keys;
  for (extent i = 0; i < n; ++i) keys.push_back(d.noise.split(use).fold_in(static_cast<std::uint64_t>(d.first + i)));
  return keys;
}

template <schedule S, weighting W>
std::vector<loss_coefficients> stratified_coefficients(const batch_draw& d, extent n, std::uint64_t use, const S& s,
                                                       const W& w) {
  const double u = uniform_at<double>(d.noise.split(use), 0);
  std::vector<loss_coefficients> at;
  for (extent i = 0; i < n; ++i)
    at.push_back(coefficients_at(s, w, v_prediction{}, stratified(u, d.first + i, d.count)));
  return at;
}

}  // namespace detail

// Where the prior's schedule runs: a cosine from lambda_z(0) down, its shape centred in the level of u = z / scale.
inline cosine_schedule prior_schedule(const latent_config& c, const latent_scale& s) {
  return {.logsnr_max = s.shifted(c.noise_logsnr), .logsnr_min = s.shifted(c.prior.logsnr_min)};
}
inline cosine_schedule decoder_schedule(const decoder_config& c) {
  return {.logsnr_max = c.logsnr_max, .logsnr_min = c.logsnr_min, .shift = c.shift};
}

// z_0 at unit variance, as the decoder receives it: z, eps (B, h, w, c).
template <backend B, element T>
var<B, T> noisy_latent(const latent_config& c, const latent_scale& s, const var<B, T>& z, const tensor<B, T>& eps) {
  const double norm = s.normaliser(c.noise_logsnr);
  return add(affine(z, {.scale = norm * alpha(c.noise_logsnr)}),
             affine(eps, {.scale = norm * sigma(c.noise_logsnr)}));
}

// Training follows the latents' rms and drops; evaluation leaves the scale as it stands.
enum class mode { train, evaluate };

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

  const auto eps_z0 = normal<T>(device, z.shape(), detail::sample_keys(draw, n, 0));
  const auto eps_z = normal<T>(device, z.shape(), detail::sample_keys(draw, n, 1));
  const auto eps_x = normal<T>(device, x.shape(), detail::sample_keys(draw, n, 2));

  // The prior in units of u, where its bound is the plain one between shifted end points.
  const auto at_z = detail::stratified_coefficients(draw, n, 3, prior_schedule(c, s), elbo_weight{});
  const var<B, T> u = affine(z, {.scale = 1 / s.rms()});
  const auto diffusion = denoising_loss(
      u, eps_z, std::span<const loss_coefficients>(at_z),
      [&](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) { return nets.prior(u_t, logsnr); });

  // 1/2 sum (alpha^2 z^2 + sigma^2 - 1 - log sigma^2), closed form.
  const double last = c.prior.logsnr_min, constant = static_cast<double>(c.latent().size()) * terminal_kl(0.0, last);
  const auto terminal =
      affine(sum_samples(square(z)), {.scale = 0.5 * alpha_squared(last), .offset = constant});

  const var<B, T> z_0 = noisy_latent(c, s, z, eps_z0);
  const sigmoid_weight weight{.bias = c.decoder.bias, .loss_factor = c.decoder.loss_factor};
  const auto at_x = detail::stratified_coefficients(draw, n, 4, decoder_schedule(c.decoder), weight);
  const auto decoder = denoising_loss(
      x, eps_x, std::span<const loss_coefficients>(at_x),
      [&](const var<B, T>& x_t, const tensor<B, compute_t<T>>& logsnr) {
        return nets.decoder(x_t, logsnr, z_0, m == mode::train ? &dropout : nullptr);
      });
  return {diffusion, terminal, decoder};
}

}  // namespace ul
