#include <doctest/doctest.h>
#include <ul/data/galaxies.hpp>
#include <ul/latent/presets.hpp>
#include <ul/train/evaluation.hpp>
#include <ul/train/exhibits.hpp>

#include <string>

#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>

#include "../io/support.hpp"

namespace {

struct fixture {
  ul::cpu device;
  ul::latent_model<ul::cpu> model;
  ul::galaxies set{{.count = 5, .resolution = 16, .seed = 3}};

  fixture() : model(device, config()) {
    model.stage1.weights.allocate(ul::key(1));
    model.add_base().weights.allocate(ul::key(2));
    model.stage1.scale = ul::latent_scale(0.4);
    model.stage2->scale = ul::latent_scale(0.5);
  }
  static ul::latent_config config() {
    ul::latent_config c = ul::latent_preset("tiny");
    c.image = {16, 16, 3};
    return c;
  }
};

}  // namespace

TEST_CASE("an evaluation is what its parts are, in any batches") {
  fixture f;
  const ul::evaluation_options o{.draws = 2, .seed = 9, .decoder = {.steps = 2}};
  const ul::evaluation e = ul::evaluate(f.model, f.set, o);
  CHECK(e.shape == ul::extents{5, 16, 16, 3});
  CHECK(e.labels == std::vector<ul::extent>{0, 1, 2, 3, 0});

  const std::vector<std::uint64_t> seeds{9, 10, 11, 12, 13};
  const std::vector<std::int32_t> labels{0, 1, 2, 3, 0};
  const std::vector<ul::key> keys = ul::sample_keys(seeds);
  const auto k = std::span<const ul::key>(keys);
  const auto x = ul::pictures_of(f.device, f.set, 0, 5);
  ul::sample_mean prior, base;
  for (const double nats : ul::latent_nats(f.model, ul::encode(f.model, x), k, ul::latent_source::prior, labels, 2))
    prior.add(nats);
  for (const double nats : ul::latent_nats(f.model, ul::encode(f.model, x), k, ul::latent_source::base, labels, 2))
    base.add(nats);
  CHECK(e.prior_nats.mean() == prior.mean());
  CHECK(e.base_nats->mean() == base.mean());
  std::vector<float> decoded;
  ul::append_clamped(decoded, ul::reconstruct(f.model, x, k, {.steps = 2}));
  CHECK(e.decoded == decoded);
  CHECK(e.originals == ul::to_host(x));

  ul::evaluation_options two = o;
  two.batch = 2;
  const ul::evaluation again = ul::evaluate(f.model, f.set, two);
  CHECK(again.decoded == e.decoded);
  CHECK(again.psnr.mean() == e.psnr.mean());
  CHECK(again.prior_nats.mean() == e.prior_nats.mean());
}

TEST_CASE("a run shows the PSNR that an evaluation reports") {
  fixture f;
  const support::scratch d;
  const ul::exhibits<ul::cpu, float> shown(f.device, f.set, 5);
  const ul::evaluation e = ul::evaluate(f.model, f.set, {.draws = 1, .seed = 0, .decoder = {.steps = 2}});
  CHECK(shown.show(f.model, d / "", 5, 2) == e.psnr.mean());
  CHECK(e.psnr.count() == 5);
}

TEST_CASE("pictures of another size are refused") {
  fixture f;
  const ul::galaxies other{{.count = 2, .resolution = 20}};
  CHECK_THROWS_WITH_AS(ul::evaluate(f.model, other),
                       "evaluate: pictures are (20, 20, 3), the model expects (16, 16, 3)", ul::error);
}
