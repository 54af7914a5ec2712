#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include <ul/latent/sample.hpp>

#include "support.hpp"

namespace {

using namespace latent_test;

std::string refusal(const latent_model<reference, float>& m, const sample_options& o) {
  try {
    sample(m, o);
  } catch (const error& e) {
    return e.what();
  }
  return "";
}

sample_options quick() { return {.latent_steps = 3, .decoder = {.steps = 2}}; }

}  // namespace

TEST_CASE("a sample depends on its seed and class alone") {
  shaken_model<float> s;
  sample_options o = quick();
  o.seeds = {7, 8, 9, 7};
  o.classes = {0, 2, 1, 0};
  o.guidance.scale = 2;
  const auto all = to_host(sample(s.m, o));
  const std::size_t each = all.size() / 4;
  CHECK(std::equal(all.begin(), all.begin() + static_cast<long>(each), all.end() - static_cast<long>(each)));
  for (const extent batch : {1, 3}) {
    o.batch = batch;
    CHECK(to_host(sample(s.m, o)) == all);
  }
  o.seeds = {8};
  o.classes = {2};
  const auto one = to_host(sample(s.m, o));
  CHECK(std::equal(one.begin(), one.end(), all.begin() + static_cast<long>(each)));
  o.classes = {1};
  CHECK(to_host(sample(s.m, o)) != one);
}

TEST_CASE("guidance is limited to levels of the latents themselves") {
  shaken_model<float> s;
  sample_options o = quick();
  o.classes = {1};
  const auto plain = to_host(sample(s.m, o));
  o.guidance.scale = 3;
  const auto guided = to_host(sample(s.m, o));
  CHECK(guided != plain);
  const latent_config& c = s.m.config();
  o.guidance.logsnr_min = c.base.logsnr_min - 1e-6;
  o.guidance.logsnr_max = c.noise_logsnr + 1e-6;
  CHECK(to_host(sample(s.m, o)) == guided);
  o.guidance.logsnr_min = c.noise_logsnr + 1e-6;
  o.guidance.logsnr_max = 100;
  CHECK(to_host(sample(s.m, o)) == plain);
}

TEST_CASE("consecutive seeds start at the one that is given") {
  shaken_model<float> s;
  sample_options o = quick();
  o.count = 2;
  o.seed = 8;
  const auto two = to_host(sample(s.m, o));
  o.seeds = {8, 9};
  CHECK(to_host(sample(s.m, o)) == two);
}

TEST_CASE("every sampler makes pictures of both sources") {
  shaken_model<float> s;
  for (const std::string_view name : sampler_names) {
    for (const latent_source source : {latent_source::base, latent_source::prior}) {
      sample_options o = quick();
      o.latent_sampler = o.decoder.sampler = sampler_named(name);
      o.source = source;
      const auto made = sample(s.m, o);
      INFO(name);
      CHECK(made.shape() == extents{1, 9, 11, 2});
      for (const float v : to_host(made)) CHECK(std::isfinite(v));
    }
  }
}

// With networks that predict v^ = 0 the clean guess is alpha u_t, the denoiser of a standard normal: the sampler must
// end in one, and the decoder must be given it in units of its own scale.
TEST_CASE("latents end at the fixed noise level, in the decoder's scale") {
  latent_config c = tiny();
  c.image = {32, 32, 2};
  shaken_model<float> s(c);
  s.m.stage2->weights.allocate();
  latent_model<reference, float> fresh(s.device, c);
  fresh.stage1.weights.allocate(key(3));
  fresh.add_base().weights.allocate(key(4));
  fresh.stage1.scale = latent_scale(0.25);
  fresh.stage2->scale = latent_scale(0.5);
  std::vector<std::uint64_t> many;
  for (std::uint64_t i = 0; i < 40; ++i) many.push_back(i);
  const std::vector<key> keys = sample_keys(many);
  const std::vector<std::int32_t> none(many.size(), 3);
  const double ratio = fresh.stage1.scale.normaliser(5) / fresh.stage2->scale.normaliser(5);
  for (const latent_source source : {latent_source::base, latent_source::prior}) {
    const auto z =
        to_host(sample_latents(fresh, std::span<const key>(keys), std::span<const std::int32_t>(none),
                               {.source = source, .latent_steps = 20, .latent_sampler = sampler_kind::dpmpp_2m}));
    double squares = 0;
    for (const float v : z) squares += static_cast<double>(v) * static_cast<double>(v);
    const double expected = source == latent_source::base ? ratio : 1;
    const double n = static_cast<double>(z.size());
    CHECK(std::sqrt(squares / n) / expected == doctest::Approx(1).epsilon(5 / std::sqrt(2 * n)));
  }
}

TEST_CASE("what a model cannot do is refused") {
  shaken_model<float> s;
  sample_options o = quick();
  o.classes = {3};
  CHECK(refusal(s.m, o) == "sample: class 3 does not exist, expected 0 to 2");
  o.classes = {0, 1};
  CHECK(refusal(s.m, o) == "sample: 2 classes for 1 samples");
  o = quick();
  o.batch = 0;
  CHECK(refusal(s.m, o) == "sample: batch is 0, expected at least 1");
  o = quick();
  o.count = -1;
  CHECK(refusal(s.m, o) == "sample: count is -1, expected at least 0");
  o = quick();
  o.latent_steps = 0;
  CHECK(refusal(s.m, o).find("0 steps, expected at least 1") != std::string::npos);
  o = quick();
  o.source = latent_source::base;
  s.m.stage2.reset();
  CHECK(refusal(s.m, o) == "latents: the model has no base model, only stage 1");
  o.source = latent_source::prior;
  o.classes = {1};
  CHECK(refusal(s.m, o) == "sample: classes are given, but what makes the latents was trained without");
  CHECK_THROWS_WITH_AS(sampler_named("ddpm"),
                       "sampler: \"ddpm\" is not known, expected one of ancestral ddim euler_ancestral heun dpmpp_2m "
                       "dpmpp_2m_sde dpmpp_2s dpmpp_3m dpmpp_3m_sde unipc deis",
                       error);
}

TEST_CASE("sampling can be watched and stopped") {
  shaken_model<float> s;
  int steps = 0;
  sample(s.m, quick(), [&](const auto&) { ++steps; });
  CHECK(steps == 3 + 3);  // the decoder's last step goes to the clean picture
}

TEST_CASE("reconstruction is encoding, noise and decoding") {
  shaken_model<float> s;
  const auto x = s.pictures(2);
  const std::vector<std::uint64_t> seeds{1, 2};
  const std::vector<key> keys = sample_keys(seeds);
  const auto whole = to_host(reconstruct(s.m, x, std::span<const key>(keys), {.steps = 3}));
  const auto z_0 = noisy_latent(s.m, encode(s.m, x), std::span<const key>(keys));
  CHECK(to_host(decode(s.m, z_0, std::span<const key>(keys), {.steps = 3})) == whole);
  CHECK_THROWS_WITH_AS(decode(s.m, x, std::span<const key>(keys), {}),
                       "decode: z_0 is (2, 9, 11, 2), expected (B, h, w, c) with (3, 3, 2)", error);
}
