#pragma once
// The noise levels of latents: where their schedules run, the state z_0 the decoder is given, and the bound's terms.

#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/training_loss.hpp>
#include <ul/latent/batch_draw.hpp>
#include <ul/latent/config.hpp>
#include <ul/latent/scale.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/reduce.hpp>

namespace ul {

// A cosine from lambda_z(0) down to `logsnr_min`, its shape centred in the level of u = z / scale.
inline cosine_schedule latent_schedule(const latent_config& c, const latent_scale& s, double logsnr_min) {
  return {.logsnr_max = s.shifted(c.noise_logsnr), .logsnr_min = s.shifted(logsnr_min)};
}

// z_0 at unit variance, as the decoder receives it: z, eps (B, h, w, c).
template <backend B, element T>
var<B, T> noisy_latent(const latent_config& c, const latent_scale& s, const var<B, T>& z, const tensor<B, T>& eps) {
  const double norm = s.normaliser(c.noise_logsnr);
  return add(affine(z, {.scale = norm * alpha(c.noise_logsnr)}), affine(eps, {.scale = norm * sigma(c.noise_logsnr)}));
}

// KL[q(z_t | x) || N(0, I)] at one level for each sample, in nats: z (B, h, w, c) -> (B).
template <backend B, element T>
auto latent_kl(const var<B, T>& z, double logsnr) {
  const double constant = static_cast<double>(z.shape().without(0).size()) * terminal_kl(0.0, logsnr);
  return affine(sum_samples(square(z)), {.scale = 0.5 * alpha_squared(logsnr), .offset = constant});
}

// The diffusion loss of latents in units of u, for each sample, in nats: z, eps (B, h, w, c) -> (B). Under the weight 1
// it is the bound without its terminal term. `network` maps u_t (B, h, w, c) and log-SNR (B) to v^.
template <backend B, element T, class Network>
var<B, compute_t<T>> latent_loss(const latent_scale& s, const var<B, T>& z, const tensor<B, T>& eps,
                                 std::span<const loss_coefficients> at, Network&& network) {
  return denoising_loss(affine(z, {.scale = 1 / s.rms()}), eps, at, network);
}

}  // namespace ul
