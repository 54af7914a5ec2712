#pragma once
// What turns gradients into weights during one stage, with all that must survive a resume: the optimiser, the averaged
// weights, the guard against numbers that are not finite, and the scale of the latents.

#include <ul/latent/scale.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/checkpoint_contents.hpp>
#include <ul/train/checkpoint_reader.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/guard.hpp>
#include <ul/train/observer.hpp>
#include <ul/train/rate.hpp>
#include <ul/train/settings.hpp>

namespace ul {

// The learning rate of step 0, 1, ... of a stage.
inline linear_rate rate_of(const stage_settings& s) {
  const auto share = [&](double x) { return static_cast<extent>(x * static_cast<double>(s.steps)); };
  return {.peak = s.rate, .warm_up = share(s.warm_up), .from = share(s.fall_from), .steps = s.steps};
}

template <backend B, element T>
class training_state {
 public:
  using master = master_t<T>;

  // The weights must be allocated; `scale` is their model's. Both must outlive this.
  training_state(parameters<B, T>& weights, latent_scale& scale, const stage_settings& s)
      : weights_(weights),
        scale_(scale),
        rate_(rate_of(s)),
        clip_(s.clip),
        optimiser_(weights, {.beta1 = s.beta1, .beta2 = s.beta2, .decay = s.decay}),
        average_(weights, warm_up_average{s.ema}),
        guard_(s.skips) {}

  parameters<B, T>& weights() const { return weights_; }
  const ema<B, T>& average() const { return average_; }

  // Step number `step` (from 0) with the gradients the weights hold and the loss they are the gradient of. Where these
  // are not finite the weights stay, and the scale goes back to `before`. Fills in gradient_norm, rate and skipped.
  // Throws ul::error of the kind `diverged` when that was so too often in a row.
  void update(extent step, double loss, const latent_scale& before, step_report& r) {
    r.gradient_norm = gradient_norm(weights_);
    r.rate = rate_(step);
    r.skipped = !guard_.admits(loss, r.gradient_norm);
    if (r.skipped) {
      scale_ = before;
    } else {
      optimiser_.step({.rate = r.rate, .gradient_scale = clip_scale(r.gradient_norm, clip_)}, average_);
    }
  }

  void save(checkpoint_contents<master>& out, const std::string& name) const {
    out.add_weights(name, weights_, weights_.master());
    out.add_states(name + training, optimiser_.state(), average_.state());
    const std::optional<double> log_rms = scale_.log_rms();
    out.state.set(name, json::object{{"updates", optimiser_.steps()},
                                     {"averaged", average_.updates()},
                                     {"skipped", guard_.skipped()},
                                     {"in_row", guard_.in_row()},
                                     {"log_rms", log_rms ? json(*log_rms) : json()}});
  }

  // Exactly what was saved. Throws ul::error naming what is missing or does not fit.
  void restore(const checkpoint& saved, const std::string& name) {
    load_parameters(weights_, saved[name]);
    restore_states(saved[name + training]);
    extent updates = 0, averaged = 0, skipped = 0, in_row = 0;
    json log_rms;
    fields f(saved.state[name], saved.path, name);
    f.require("updates", updates);
    f.require("averaged", averaged);
    f.require("skipped", skipped);
    f.require("in_row", in_row);
    f.require("log_rms", log_rms);
    f.finish();
    optimiser_.resume(updates);
    average_.resume(averaged);
    guard_.resume(skipped, in_row);
    scale_ = latent_scale::from_log_rms(log_rms.is_null() ? std::nullopt : std::optional(log_rms.number(name)));
  }

 private:
  static constexpr const char* training = "-training";

  void restore_states(const safetensors& file) {
    ul::restore(optimiser_.state(), file);
    ul::restore(average_.state(), file);
  }

  parameters<B, T>& weights_;
  latent_scale& scale_;
  linear_rate rate_;
  double clip_;
  adam<B, T> optimiser_;
  ema<B, T> average_;
  finite_guard guard_;
};

}  // namespace ul
