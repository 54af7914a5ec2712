#pragma once
// How much information latents carry: the diffusion bound of each under the prior, or under the base model at weight 1.

#include <ul/latent/reconstruct.hpp>
#include <ul/latent/sample.hpp>

namespace ul {

namespace detail {

// The bound's diffusion term at time stratified(u_i, round, rounds) of every sample, u_i from its own key.
template <class Schedule>
std::vector<loss_coefficients> bound_coefficients(const Schedule& s, std::span<const key> keys, extent round,
                                                  extent rounds) {
  std::vector<loss_coefficients> at;
  for (const key& k : keys) {
    const double u = uniform_at<double>(k.split(static_cast<std::uint64_t>(noise_use::bits)), 0);
    at.push_back(coefficients_at(s, elbo_weight{}, v_prediction{}, stratified(u, round, rounds)));
  }
  return at;
}

// The labels as the base model is told them, -1 being none. Throws ul::error for a class it does not know.
inline std::vector<std::int32_t> known_labels(std::span<const std::int32_t> labels, extent classes) {
  std::vector<std::int32_t> known(labels.begin(), labels.end());
  for (std::int32_t& label : known) {
    if (label < -1 || label >= classes)
      fail_as(error_kind::input, "latent_nats: label is ", label, ", the model knows ", classes, " classes");
    if (label == -1) label = static_cast<std::int32_t>(classes);
  }
  return known;
}

}  // namespace detail

// Nats that bound the information in z_0 of each sample, the mean of `draws` times and noises stratified for each:
// z_clean (B, h, w, c), a key for each sample -> B numbers. The base model is told the labels,
// -1 where a sample has none.
// Source: Heek et al., Unified Latents, arXiv 2602.17270, equation 3.
template <backend B, element T>
std::vector<double> latent_nats(const latent_model<B, T>& m, const tensor<B, T>& z, std::span<const key> keys,
                                latent_source source, std::span<const std::int32_t> labels, extent draws = 16) {
  const latent_config& c = m.config();
  const extent n = z.shape()[0];
  detail::check_keys("latent_nats", keys, n);
  if (draws < 1) fail("latent_nats: draws is ", draws, ", expected at least 1");
  const bool by_base = uses_base(m, source);
  const latent_scale& scale = by_base ? m.stage2->scale : m.stage1.scale;
  const double last = by_base ? c.base.logsnr_min : c.prior.logsnr_min;
  tensor<B, std::int32_t> label;
  if (by_base && c.classes > 0)
    label = from_host<std::int32_t>(m.device(), {n}, detail::known_labels(labels, c.classes));
  const auto network = [&](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) {
    return by_base ? m.stage2->network(u_t, logsnr, label) : m.stage1.networks.prior(u_t, logsnr);
  };

  std::vector<double> nats;
  for (const auto terminal : to_host(latent_kl(var<B, T>(z), last).value()))
    nats.push_back(static_cast<double>(terminal));
  const auto noise = sample_noise<T>(z.device(), z.shape(), keys, noise_use::bits);
  for (extent round = 0; round < draws; ++round) {
    const auto at = detail::bound_coefficients(latent_schedule(c, scale, last), keys, round, draws);
    const auto losses = to_host(
        latent_loss(scale, var<B, T>(z), noise(round), std::span<const loss_coefficients>(at), network).value());
    for (std::size_t i = 0; i < nats.size(); ++i)
      nats[i] += static_cast<double>(losses[i]) / static_cast<double>(draws);
  }
  return nats;
}

}  // namespace ul
