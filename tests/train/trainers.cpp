// What the trainers and the run are made of.

#include <doctest/doctest.h>

#include <cmath>

#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/data/galaxies.hpp>
#include <ul/data/pictures.hpp>
#include <ul/train/fit_seconds.hpp>
#include <ul/train/run_presets.hpp>
#include <ul/train/settings_json.hpp>

#include "../sanitized.hpp"
#include "checkpoint_support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::galaxies pictures(ul::extent count) { return ul::galaxies({.count = count, .resolution = 16}); }

ul::run_settings settings() {
  ul::run_settings s = ul::run_preset("tiny", {pictures(12), pictures(4)});
  s.data = "galaxies";
  return s;
}

struct fixture {
  ul::cpu device{{.threads = 1}};
  ul::latent_model<ul::cpu> model;

  explicit fixture(const ul::run_settings& s) : model(device, s.model) { model.stage1.weights.allocate(ul::key(2)); }
};

}  // namespace

TEST_CASE("rate_of: shares of the steps") {
  const ul::stage_settings s{.steps = 100, .rate = 2, .warm_up = 0.1, .fall_from = 0.5};
  const auto rate = ul::rate_of(s);
  CHECK(rate(0) == doctest::Approx(0.2));
  CHECK(rate(9) == 2);
  CHECK(rate(50) == 2);
  CHECK(rate(75) == doctest::Approx(1));
  CHECK(rate(100) == 0);
}

TEST_CASE("encode_set: every picture as its latent, then every picture mirrored") {
  const fixture f(settings());
  const ul::galaxies set = pictures(5);
  const auto latents = ul::encode_set(f.model, set, {.flip = true, .batch = 2});
  REQUIRE(latents);
  REQUIRE(latents->size() == 10);
  CHECK(latents->extents() == f.model.config().latent());
  const auto count = static_cast<std::size_t>(latents->extents().size());
  double squares = 0;
  for (ul::extent i = 0; i < 10; ++i) {
    std::vector<float> got(count), picture(16 * 16 * 3);
    latents->read(i, got.data());
    set.read(i % 5, picture.data());
    if (i >= 5) ul::random_flip::flip(picture.data(), set.extents());
    CHECK(latents->label(i) == set.label(i % 5));
    const auto z = ul::encode(f.model, ul::from_host<float>(f.model.device(), {1, 16, 16, 3}, picture));
    CHECK(got == ul::to_host(z));
    for (const float x : got) squares += static_cast<double>(x) * static_cast<double>(x);
  }
  CHECK(ul::rms_of(*latents) == doctest::Approx(std::sqrt(squares / static_cast<double>(10 * count))).epsilon(1e-12));
  CHECK(ul::encode_set(f.model, set, {.count = 3})->size() == 3);
  ul::stop_flag stop;
  stop.request();
  CHECK(!ul::encode_set(f.model, set, {.stop = &stop}));
  CHECK_THROWS_WITH_AS(ul::encode_set(f.model, set, {.batch = 0}), "encode_set: batch is 0, expected at least 1",
                       ul::error);
}

// A fresh base model predicts v^ = 0. Then the bound of each latent is closed form on average, whatever the weighting
// it is trained under: the same errors, at weight 1.
TEST_CASE("stage 2: the live bits are the bound, not the loss") {
  ul::run_settings s = settings();
  s.model.classes = 0;
  for (const double bias : {-2., 0., 3.}) {
    if (ul::test::sanitized && bias != 0) continue;
    s.model.base.bias = bias;
    s.model.base.dropout = 0;
    fixture f(s);
    f.model.add_base().weights.allocate(ul::key(3));
    f.model.stage2->scale = ul::latent_scale(1);
    const ul::extents latent = s.model.latent();
    ul::stage2_trainer<ul::cpu, float> trainer(f.model, s.stage2, ul::key(4));
    const ul::extent n = 4096;
    const auto z = ul::normal<float>(f.device, {n, latent[0], latent[1], latent[2]}, ul::key(5));
    const double bits = trainer.step(0, z, {}).bits_per_pixel * static_cast<double>(s.model.pixels());
    // Gaussian latents of unit variance and their best denoiser: 1/2 log2(1 + e^5) for each dimension.
    CHECK(bits / static_cast<double>(latent.size()) ==
          doctest::Approx(0.5 * std::log2(1 + std::exp(5.0))).epsilon(0.01));
  }
}

TEST_CASE("take_weights: the same parameters or none") {
  ul::run_settings s = settings();
  fixture a(s), b(s);
  b.model.stage1.weights.allocate(ul::key(9));
  ul::take_weights(a.model.stage1.weights, b.model.stage1.weights, "b");
  CHECK(to_host(a.model.stage1.weights.master()) == to_host(b.model.stage1.weights.master()));
  s.model.channels = 6;
  fixture c(s);
  CHECK(contains(error_of([&] { ul::take_weights(c.model.stage1.weights, b.model.stage1.weights, "b"); }),
                 "b: parameter encoder/out/weight: expected"));
  s = settings();
  s.model.encoder.blocks = 2;
  fixture d(s);
  CHECK(contains(error_of([&] { ul::take_weights(d.model.stage1.weights, b.model.stage1.weights, "b"); }),
                 "b: expected parameter encoder/stage/0/block/1/"));
}

TEST_CASE("fitted_to: other numbers of steps, and nothing else") {
  ul::run_settings s = settings();
  s.stage1.batch = 2;
  s.stage2.batch = 16;  // more than there are pictures
  ul::cpu device{{.threads = 1}};
  const ul::data_split data{pictures(12), pictures(4)};
  ul::run_settings fitted = ul::fitted_to(2, device, s, data);
  CHECK(fitted.stage1.steps >= 1);
  CHECK(fitted.stage2.steps >= 1);
  fitted.stage1.steps = s.stage1.steps;
  fitted.stage2.steps = s.stage2.steps;
  CHECK(ul::to_json(fitted) == ul::to_json(s));
  s.stage2.steps = 0;
  fitted = ul::fitted_to(1e-9, device, s, data);
  CHECK(fitted.stage1.steps == 1);
  CHECK(fitted.stage2.steps == 0);
}

TEST_CASE("run_preset: pictures and classes are those of the data") {
  const ul::run_settings s = ul::run_preset("cifar", {pictures(12), pictures(4)});
  CHECK(s.model.image == ul::extents{16, 16, 3});
  CHECK(s.model.classes == 4);
  CHECK(contains(error_of([] { ul::run_preset("tiny", {{}, pictures(4)}); }), "none to train on"));
}
