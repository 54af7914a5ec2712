#pragma once
// Stage 2 of Unified Latents: a larger base model trained on the latents of the frozen encoder, under a sigmoid
// weighting, from the fixed noise level lambda_z(0) down. It sees z_t made from z_clean once: no noise is added to z_0.
// Source: Heek et al., Unified Latents, arXiv 2602.17270, section 3.

#include <ul/latent/base.hpp>
#include <ul/latent/latent_levels.hpp>

namespace ul {

// Where the base model's schedule runs; `s` is the scale of its own, the rms of the latents it is trained on.
inline cosine_schedule base_schedule(const latent_config& c, const latent_scale& s) {
  return latent_schedule(c, s, c.base.logsnr_min);
}

// What the loss of each of the n samples of a draw needs, under a weighting over log-SNR lambda (of z, not of u).
template <weighting W>
std::vector<loss_coefficients> base_coefficients(const latent_config& c, const latent_scale& s, const batch_draw& draw,
                                                 extent n, const W& weight) {
  return draw.coefficients(n, 1, base_schedule(c, s), [&](double level) { return weight(s.unshifted(level)); });
}

// Labels (B) on the device. Those of training are left out by chance: the number `classes` stands for none.
template <backend B>
tensor<B, std::int32_t> told_labels(B& device, const latent_config& c, std::span<const extent> labels,
                                    const batch_draw& draw, mode m) {
  const auto n = static_cast<extent>(labels.size());
  const std::vector<key> keys = draw.sample_keys(n, 3);
  std::vector<std::int32_t> told;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] > c.classes)
      fail("stage2: label ", labels[i], " of sample ", i, ", expected 0 to ", c.classes, ", the last for no class");
    const bool dropped = m == mode::train && uniform_at<double>(keys[i], 0) < c.base.label_dropout;
    told.push_back(static_cast<std::int32_t>(dropped ? c.classes : labels[i]));
  }
  return from_host<std::int32_t>(device, {n}, told);
}

// The loss of latents z (B, h, w, c) under a weighting over log-SNR lambda, for each sample, in nats:
// the sigmoid weighting of `c.base` in training; elbo_weight gives the bound without its terminal term.
// labels: one for each sample, or none for a model without classes. Throws ul::error when their number differs.
template <backend B, element T, weighting W>
var<B, compute_t<T>> stage2_loss(const latent_base<B, T>& base, const latent_config& c, const latent_scale& s,
                                 const var<B, T>& z, std::span<const extent> labels, const batch_draw& draw, mode m,
                                 const W& weight) {
  const extent n = z.shape()[0];
  B& device = z.device();
  tensor<B, std::int32_t> label;
  if (c.classes > 0) {
    if (static_cast<extent>(labels.size()) != n) fail("stage2: ", labels.size(), " labels for ", n, " samples");
    label = told_labels(device, c, labels, draw, m);
  }
  const auto eps = normal<T>(device, z.shape(), draw.sample_keys(n, 0));
  const auto at = base_coefficients(c, s, draw, n, weight);
  const key dropout = draw.noise.split(2);
  return latent_loss(s, z, eps, std::span<const loss_coefficients>(at),
                     [&](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) {
                       return base(u_t, logsnr, label, m == mode::train ? &dropout : nullptr);
                     });
}
template <backend B, element T>
var<B, compute_t<T>> stage2_loss(const latent_base<B, T>& base, const latent_config& c, const latent_scale& s,
                                 const var<B, T>& z, std::span<const extent> labels, const batch_draw& draw, mode m) {
  return stage2_loss(base, c, s, z, labels, draw, m, sigmoid_weight{.bias = c.base.bias});
}

}  // namespace ul
