#pragma once
// Training runs by name: a model of latent/presets.hpp and settings that suit it.

#include <ul/data/subset.hpp>
#include <ul/latent/presets.hpp>
#include <ul/train/settings.hpp>

namespace ul {

// Throws ul::error listing the known names for another one.
inline run_settings run_preset(std::string_view name) {
  run_settings s;
  s.preset = name;
  s.model = latent_preset(name);
  s.stage1.steps = 4000;
  s.stage2.steps = 6000;
  if (name == "tiny") {
    s.stage1.steps = 2000;
    s.stage2.steps = 2000;
    s.stage1.batch = s.stage2.batch = 32;
    s.stage1.rate = 2e-3;
    s.stage1.warm_up = 0.1;
  }
  if (name == "cifar") {
    s.stage1.steps = s.stage2.steps = 40000;
    s.flip = true;
  }
  if (name == "paper-512") {
    for (stage_settings* stage : {&s.stage1, &s.stage2}) {
      stage->steps = 500000;
      stage->batch = 1024;
      stage->rate = 2e-4;
      stage->ema = 0.9999;
    }
    s.flip = true;
    s.cache_latents = false;
  }
  return s;
}

// The same for pictures and classes such as those of the data. Throws ul::error also when there are none to train on.
inline run_settings run_preset(std::string_view name, const data_split& data) {
  run_settings s = run_preset(name);
  if (!data.train) fail("run: the data hold pictures to test with only, none to train on");
  s.model.image = data.train.extents();
  s.model.classes = data.train.classes();
  return s;
}

}  // namespace ul
