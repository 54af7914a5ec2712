#pragma once
// Pictures from nothing: z_1 from the standard normal, z_0 by the base model (or the prior of stage 1), the picture by
// the decoder. The latents' sampler ends at the fixed level lambda_z(0), and its state there, noise included, is z_0.
//
//   auto images = ul::sample(model, {.count = 16, .seed = 7});   // (16, H, W, C), values in [-1, 1]

#include <ul/diffusion/guidance.hpp>
#include <ul/diffusion/tensor_geometry.hpp>
#include <ul/latent/reconstruct.hpp>

namespace ul {

// Who makes the latents: the base model where there is one, or the one that is named.
enum class latent_source { best, base, prior };

struct sample_options {
  extent count = 1;
  std::uint64_t seed = 0;                 // sample i has the seed `seed` + i,
  std::vector<std::uint64_t> seeds = {};  // or its own; then these are as many as samples
  std::vector<extent> classes = {};       // of each sample, or one for all; none: the model is told no class
  latent_source source = latent_source::best;
  extent latent_steps = 50;
  sampler_kind latent_sampler = sampler_kind::dpmpp_2m_sde;
  guidance_options guidance = {};  // away from what the base model makes without a class; levels are those of z
  decode_options decoder = {};
  extent batch = 64;  // samples at once; their pictures do not depend on it
};

// Whether the base model makes latents, or bounds them, when `source` is asked for. Throws ul::error when it should and
// there is none.
template <backend B, element T>
bool uses_base(const latent_model<B, T>& m, latent_source source) {
  if (source == latent_source::base && !m.stage2) fail("latents: the model has no base model, only stage 1");
  return source != latent_source::prior && m.stage2;
}

// The seed of every sample. Throws ul::error for a negative count.
inline std::vector<std::uint64_t> seeds_of(const sample_options& o) {
  if (o.count < 0) fail("sample: count is ", o.count, ", expected at least 0");
  if (!o.seeds.empty()) return o.seeds;
  std::vector<std::uint64_t> seeds;
  for (extent i = 0; i < o.count; ++i) seeds.push_back(o.seed + static_cast<std::uint64_t>(i));
  return seeds;
}

namespace detail {

// The class of each sample; `known` stands for none.
inline std::vector<std::int32_t> classes_of(const sample_options& o, extent samples, extent known) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(samples), static_cast<std::int32_t>(known));
  if (o.classes.empty()) return labels;
  const auto given = static_cast<extent>(o.classes.size());
  if (known == 0) fail("sample: classes are given, but what makes the latents was trained without");
  if (given != 1 && given != samples) fail("sample: ", given, " classes for ", samples, " samples");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const extent label = o.classes[given == 1 ? 0 : i];
    if (label < 0 || label >= known) fail("sample: class ", label, " does not exist, expected 0 to ", known - 1);
    labels[i] = static_cast<std::int32_t>(label);
  }
  return labels;
}

// z_0 at the unit variance of the network that made it.
template <backend B, element T, class Noise, class Observer>
tensor<B, T> latents_of_base(const latent_model<B, T>& m, const tensor<B, std::int32_t>& label, const Noise& noise,
                             const sample_options& o, Observer& observer) {
  using state = tensor<B, T>;
  const latent_config& c = m.config();
  const auto told = [&](const tensor<B, std::int32_t>& l) {
    return batch_denoiser<B, T>([&m, l](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) {
      return m.stage2->network(u_t, logsnr, l);
    });
  };
  const logsnr_grid grid = uniform_time_grid(base_schedule(c, m.stage2->scale), o.latent_steps);
  const auto conditional = told(label);
  if (c.classes == 0 || o.guidance.scale == 1)
    return sample_by<state>(o.latent_sampler, conditional, noise(-1), grid, noise, observer);
  const auto other = told(full<std::int32_t>(m.device(), label.shape(), static_cast<double>(c.classes)));
  guidance_options guidance = o.guidance;  // at the levels of u, as the networks are
  guidance.logsnr_min = m.stage2->scale.shifted(guidance.logsnr_min);
  guidance.logsnr_max = m.stage2->scale.shifted(guidance.logsnr_max);
  return sample_by<state>(o.latent_sampler, guided(conditional, other, guidance), noise(-1), grid, noise, observer);
}

template <backend B, element T, class Noise, class Observer>
tensor<B, T> latents_of_prior(const latent_model<B, T>& m, const Noise& noise, const sample_options& o,
                              Observer& observer) {
  const auto denoiser = batch_denoiser<B, T>([&m](const var<B, T>& u_t, const tensor<B, compute_t<T>>& logsnr) {
    return m.stage1.networks.prior(u_t, logsnr);
  });
  const logsnr_grid grid = uniform_time_grid(prior_schedule(m.config(), m.stage1.scale), o.latent_steps);
  return sample_by<tensor<B, T>>(o.latent_sampler, denoiser, noise(-1), grid, noise, observer);
}

}  // namespace detail

// A key and a label for each sample -> z_0 at unit variance (B, h, w, c), what the decoder is given. The label
// `classes` stands for none. Throws ul::error when a base model is asked for and there is none.
template <backend B, element T, class Observer = no_observer>
tensor<B, T> sample_latents(const latent_model<B, T>& m, std::span<const key> keys,
                            std::span<const std::int32_t> labels, const sample_options& o = {},
                            Observer&& observer = {}) {
  const latent_config& c = m.config();
  const extents latent = c.latent();
  const auto n = static_cast<extent>(keys.size());
  const auto noise = sample_noise<T>(m.device(), {n, latent[0], latent[1], latent[2]}, keys, noise_use::latents);
  if (o.source == latent_source::base && !m.stage2) fail("sample: the model has no base model, only stage 1");
  if (o.source == latent_source::prior || !m.stage2) return detail::latents_of_prior(m, noise, o, observer);
  tensor<B, std::int32_t> label;
  if (c.classes > 0) label = from_host<std::int32_t>(m.device(), {n}, labels);
  const tensor<B, T> u_0 = detail::latents_of_base(m, label, noise, o, observer);
  // From the scale of the base model's latents to that of the decoder's.
  const double from = m.stage2->scale.normaliser(c.noise_logsnr), to = m.stage1.scale.normaliser(c.noise_logsnr);
  return from == to ? u_0 : combine(to / from, u_0);
}

// Pictures (count, H, W, C), values in [-1, 1] as far as the decoder keeps to it. The observer is called after each
// step of either sampler. Throws ul::error for a class or a source that the model does not have.
template <backend B, element T, class Observer = no_observer>
tensor<B, T> sample(const latent_model<B, T>& m, const sample_options& o = {}, Observer&& observer = {}) {
  if (o.batch < 1) fail("sample: batch is ", o.batch, ", expected at least 1");
  const std::vector<std::uint64_t> seeds = seeds_of(o);
  const std::vector<key> keys = sample_keys(seeds);
  const auto count = static_cast<extent>(seeds.size());
  const std::vector<std::int32_t> labels =
      detail::classes_of(o, count, uses_base(m, o.source) ? m.config().classes : 0);
  const extents image = m.config().image;
  tensor<B, T> pictures(m.device(), {count, image[0], image[1], image[2]});
  const kept_weights kept(m.device());
  for (extent first = 0; first < count; first += o.batch) {
    const extent n = (std::min)(o.batch, count - first);
    const auto at = static_cast<std::size_t>(first), size = static_cast<std::size_t>(n);
    const auto part = std::span<const key>(keys).subspan(at, size);
    const auto z_0 = sample_latents(m, part, std::span<const std::int32_t>(labels).subspan(at, size), o, observer);
    const tensor<B, T> made = decode(m, z_0, part, o.decoder, observer);
    m.device().copy(pictures.rows(first, n).data(), made.data(), made.size() * extent{sizeof(T)});
  }
  return pictures;
}

}  // namespace ul
