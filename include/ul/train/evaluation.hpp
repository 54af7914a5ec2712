#pragma once
// What a model makes of the pictures of a set: bits of their latents, and how close its reconstructions come.

#include <algorithm>
#include <optional>
#include <vector>

#include <ul/data/pictures.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/psnr.hpp>
#include <ul/metric/ssim.hpp>
#include <ul/train/append_clamped.hpp>

namespace ul {

struct evaluation_options {
  extent count = 0;  // the first pictures of the set; 0: all
  extent draws = 8;  // noise levels for a picture's bits
  extent batch = 64;
  std::uint64_t seed = 1;  // of the first picture's noise; the next has the next one
  decode_options decoder = {};
};

// Means over pictures. Values outside of [-1, 1] count as the nearest inside, as in a picture file.
struct evaluation {
  sample_mean prior_nats;                // a picture's information, bounded by the prior
  std::optional<sample_mean> base_nats;  // and by the base model at weight 1, told the class
  sample_mean psnr;                      // dB
  sample_mean ssim;
  extents shape;                          // (count, H, W, C)
  std::vector<float> originals, decoded;  // of that shape
  std::vector<extent> labels;             // -1 without
};

// Throws ul::error when the set's pictures are not those the model was made for.
template <backend B, element T, data_set S>
evaluation evaluate(const latent_model<B, T>& m, const S& set, const evaluation_options& o = {}) {
  const extents item = set.extents();
  if (item != m.config().image)
    fail_as(error_kind::input, "evaluate: pictures are ", item, ", the model expects ", m.config().image);
  if (o.batch < 1) fail("evaluate: batch is ", o.batch, ", expected at least 1");
  const extent count = o.count > 0 ? (std::min)(o.count, extent{set.size()}) : extent{set.size()};
  evaluation e;
  e.shape = {count, item[0], item[1], item[2]};
  if (m.stage2) e.base_nats.emplace();
  for (extent first = 0; first < count; first += o.batch) {
    const extent n = (std::min)(o.batch, count - first);
    std::vector<std::uint64_t> seeds;
    std::vector<std::int32_t> told;
    for (extent i = first; i < first + n; ++i) {
      seeds.push_back(o.seed + static_cast<std::uint64_t>(i));
      e.labels.push_back(label_of(set, i));
      told.push_back(static_cast<std::int32_t>(e.labels.back()));
    }
    const std::vector<key> keys = sample_keys(seeds);
    const auto k = std::span<const key>(keys);
    const auto l = std::span<const std::int32_t>(told);
    const tensor<B, T> x = pictures_of<T>(m.device(), set, first, n), z = encode(m, x);
    for (const double nats : latent_nats(m, z, k, latent_source::prior, l, o.draws)) e.prior_nats.add(nats);
    if (e.base_nats)
      for (const double nats : latent_nats(m, z, k, latent_source::base, l, o.draws)) e.base_nats->add(nats);
    append_clamped(e.originals, x);
    append_clamped(e.decoded, decode(m, noisy_latent(m, z, k), k, o.decoder));
  }
  e.psnr = picture_psnr(e.decoded, e.originals, item.size());
  if (item[0] <= 10 || item[1] <= 10) return e;  // the window of SSIM has to fit
  const auto size = static_cast<std::size_t>(item.size());
  for (std::size_t at = 0; at < e.originals.size(); at += size) {
    const auto original = std::span<const float>(e.originals).subspan(at, size);
    const auto decoded = std::span<const float>(e.decoded).subspan(at, size);
    e.ssim.add(ssim(decoded, original, item));
  }
  return e;
}

}  // namespace ul
