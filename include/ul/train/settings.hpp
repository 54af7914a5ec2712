#pragma once
// All that decides a training run of a Unified Latents model: the sizes of the model, how each stage is trained, and
// what is told and kept on the way. The number of threads and the speed of the machine decide nothing.

#include <cstdint>
#include <string>

#include <ul/latent/config.hpp>

namespace ul {

// The training of one stage by AdamW. The rate rises in a straight line, stays, and falls in a straight line to zero.
struct stage_settings {
  extent steps = 4000;  // 0: this stage is not trained
  extent batch = 64;
  double rate = 1e-3;      // the highest
  double warm_up = 0.05;   // the share of the steps in which it rises
  double fall_from = 0.5;  // the share of the steps after which it falls
  double beta1 = 0.9, beta2 = 0.99, decay = 0;
  double clip = 1;     // the largest norm of the gradient, of a loss in bits per pixel
  double ema = 0.995;  // the decay of the averaged weights, which are those of the result
  extent skips = 5;    // so many steps in a row without finite numbers end the run
};

// What is looked at and kept during a run; it touches no weight.
struct watch_settings {
  extent checkpoint_every = 500, keep = 2;      // steps; of the latest
  extent held_out_every = 250, held_out = 256;  // steps, 0 for never; pictures
  extent preview_every = 1000, previews = 32;   // steps, 0 for never; pictures
  extent preview_steps = 50;                    // of each sampler
  bool half_precision = false;                  // of the weights in the model's file
};

struct run_settings {
  std::string preset = {}, data = {};  // by which names it was asked for
  std::string init_from = {};          // the model whose weights it starts with; empty: none
  std::uint64_t seed = 1;
  bool flip = false;          // mirrored pictures are as good as the pictures
  bool cache_latents = true;  // encode all pictures once for stage 2, not each time they are met
  latent_config model = {};
  stage_settings stage1 = {}, stage2 = {};
  watch_settings watch = {};

  extent steps() const { return checked_add(stage1.steps, stage2.steps, "settings"); }

  // Throws ul::error naming the setting for values that cannot work.
  void validate() const;
};

namespace detail {

inline void check_stage(const char* stage, const stage_settings& s) {
  const auto refuse = [&](const char* field, auto value, const char* expected) {
    fail(stage, ".", field, " is ", value, ", expected ", expected);
  };
  const auto unit = [](double x) { return x >= 0 && x <= 1; };
  if (s.steps < 0 || s.steps > 1'000'000'000) refuse("steps", s.steps, "0 to 1000000000");
  if (s.batch < 1 || s.batch > 1'000'000) refuse("batch", s.batch, "1 to 1000000");
  if (!(s.rate > 0 && s.rate <= 1)) refuse("rate", s.rate, "above 0, at most 1");
  if (!unit(s.warm_up)) refuse("warm_up", s.warm_up, "in [0, 1]");
  if (!unit(s.fall_from)) refuse("fall_from", s.fall_from, "in [0, 1]");
  if (!(s.beta1 >= 0 && s.beta1 < 1)) refuse("beta1", s.beta1, "in [0, 1)");
  if (!(s.beta2 >= 0 && s.beta2 < 1)) refuse("beta2", s.beta2, "in [0, 1)");
  if (!(s.decay >= 0 && s.decay <= 1)) refuse("decay", s.decay, "in [0, 1]");
  if (!(s.clip > 0)) refuse("clip", s.clip, "above 0");
  if (!(s.ema >= 0 && s.ema < 1)) refuse("ema", s.ema, "in [0, 1)");
  if (s.skips < 1) refuse("skips", s.skips, "at least 1");
}

}  // namespace detail

inline void run_settings::validate() const {
  model.validate();
  detail::check_stage("stage1", stage1);
  detail::check_stage("stage2", stage2);
  if (steps() == 0) fail("stage1.steps and stage2.steps are 0, expected a stage to train");
  if (stage1.steps == 0 && init_from.empty())
    fail("stage1.steps is 0 and init_from is empty: stage 2 needs the weights of a stage 1");
  const watch_settings& w = watch;
  const auto at_least = [](const char* field, extent n, extent least) {
    if (n < least) fail("watch.", field, " is ", n, ", expected at least ", least);
  };
  at_least("checkpoint_every", w.checkpoint_every, 1);
  at_least("keep", w.keep, 1);
  at_least("held_out_every", w.held_out_every, 0);
  at_least("held_out", w.held_out, 1);
  at_least("preview_every", w.preview_every, 0);
  at_least("previews", w.previews, 1);
  at_least("preview_steps", w.preview_steps, 1);
}

}  // namespace ul
