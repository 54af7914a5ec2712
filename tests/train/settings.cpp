#include <doctest/doctest.h>

#include <ul/io/json_writer.hpp>
#include <ul/train/run_presets.hpp>
#include <ul/train/settings_json.hpp>

#include "../io/support.hpp"

namespace {

using support::contains;
using support::error_of;

std::string error_with(const char* assignment) {
  return error_of([&] { ul::run_settings_from(ul::with_setting(ul::to_json(ul::run_preset("tiny")), assignment)); });
}

}  // namespace

TEST_CASE("settings: every preset reads back as it was") {
  for (const std::string_view name : ul::latent_preset_names) {
    const ul::run_settings s = ul::run_preset(name);
    const ul::json all = ul::to_json(s);
    CHECK(all["preset"].string() == name);
    const std::string text = ul::to_text(all, 2);
    CHECK(ul::to_json(ul::run_settings_from(ul::parse_json(text))) == all);
  }
  CHECK(contains(error_of([] { ul::run_preset("fasion"); }), "did you mean fashion?"));
}

TEST_CASE("settings: changes by name") {
  ul::json all = ul::to_json(ul::run_preset("tiny"));
  for (const char* change : {"stage1.rate=5e-4", "model.encoder.channels=[16,32]", "data=idx:some/where", "flip=true",
                             "stage2.steps=0", "stage2.batch=1e2", "init_from="}) {
    all = ul::with_setting(all, change);
  }
  const ul::run_settings s = ul::run_settings_from(all);
  CHECK(s.stage1.rate == 5e-4);
  CHECK(s.model.encoder.channels == std::vector<ul::extent>{16, 32});
  CHECK(s.data == "idx:some/where");
  CHECK(s.flip);
  CHECK(s.stage2.steps == 0);
  CHECK(s.stage2.batch == 100);
  CHECK(s.init_from.empty());
}

TEST_CASE("settings: what is not there is refused, with the nearest name") {
  CHECK(error_with("stage1.rte=1") == "settings: unknown key stage1.rte, did you mean stage1.rate?");
  CHECK(error_with("modle.channels=1") == "settings: unknown key modle.channels, did you mean model?");
  CHECK(error_with("model.encoder.chanels=1") ==
        "settings: unknown key model.encoder.chanels, did you mean model.encoder.channels?");
  CHECK(error_with("seed.x=1") == "settings: unknown key seed.x");
  CHECK(contains(error_with("stage1.rate"), "\"stage1.rate\" is no assignment, expected key=value"));
  CHECK(contains(error_with("=3"), "is no assignment"));
  CHECK(error_of([] { ul::run_settings_from(ul::parse_json(R"({"stage1": {"stpes": 1}})"), "config.json"); }) ==
        "config.json: unknown key stage1.stpes, did you mean stage1.steps?");
}

TEST_CASE("settings: wrong types are refused") {
  CHECK(error_with("stage1.steps=many") == "settings: stage1.steps must be an integer, got string");
  CHECK(contains(error_with("stage1.steps=1.5"), "stage1.steps must be an integer, got 1.5"));
  CHECK(error_with("stage1.rate=[1]") == "settings: stage1.rate must be a number, got array");
  CHECK(error_with("flip=1") == "settings: flip must be a boolean, got integer");
  CHECK(contains(error_with("seed=-1"), "seed is -1, expected 0 to"));
  CHECK(error_with("stage1=3") == "settings: stage1 must be an object, got integer");
  CHECK(contains(error_with("model.decoder.channels=[8,true]"), "model.decoder.channels[1] must be an integer"));
}

TEST_CASE("settings: values that cannot work are refused") {
  const std::pair<const char*, const char*> bad[] = {
      {"stage1.batch=0", "stage1.batch is 0, expected 1 to 1000000"},
      {"stage2.batch=1099511627776", "stage2.batch is 1099511627776"},
      {"stage1.steps=-1", "stage1.steps is -1"},
      {"stage1.rate=0", "stage1.rate is 0, expected above 0"},
      {"stage2.rate=1e9", "stage2.rate is 1e+09"},
      {"stage1.beta1=-0.1", "stage1.beta1 is -0.1"},
      {"stage1.beta2=1", "stage1.beta2 is 1, expected in [0, 1)"},
      {"stage1.ema=1.5", "stage1.ema is 1.5"},
      {"stage1.clip=0", "stage1.clip is 0"},
      {"stage1.warm_up=2", "stage1.warm_up is 2"},
      {"stage1.fall_from=-1", "stage1.fall_from is -1"},
      {"stage1.decay=-1", "stage1.decay is -1"},
      {"stage1.skips=0", "stage1.skips is 0"},
      {"watch.keep=0", "watch.keep is 0"},
      {"watch.checkpoint_every=0", "watch.checkpoint_every is 0"},
      {"watch.held_out=0", "watch.held_out is 0"},
      {"model.channels=0", "channels is 0"},
      {"model.prior.heads=3", "the heads of prior, 3, do not divide its 64 channels"},
      {"model.encoder.channels=[24,48,96]", "the decoder's factor is 4, expected that of the encoder, 8"},
      {"model.decoder.loss_factor=0", "loss_factor is 0"},
      {"model.noise_logsnr=-20", "noise_logsnr"},
      {"stage1.steps=0", "stage1.steps is 0 and init_from is empty: stage 2 needs the weights of a stage 1"}};
  for (const auto& [change, reason] : bad) CHECK(contains(error_with(change), reason));
  ul::run_settings s = ul::run_preset("tiny");
  s.stage1.steps = s.stage2.steps = 0;
  CHECK(contains(error_of([&] { s.validate(); }), "expected a stage to train"));
}
