#pragma once
// The model of a run and the trainer of the stage it is in: how a stage begins, what a checkpoint holds of it, and how
// it comes back.

#include <ul/latent/model_file.hpp>
#include <ul/train/latent_cache.hpp>
#include <ul/train/stage1_trainer.hpp>
#include <ul/train/stage2_trainer.hpp>

namespace ul {

// Sets weights to those of another store. Throws ul::error naming the first parameter that differs.
template <backend B, element T>
void take_weights(parameters<B, T>& to, const parameters<B, T>& from, std::string_view name) {
  const auto &wanted = to.entries(), &there = from.entries();
  for (std::size_t i = 0; i < (std::max)(wanted.size(), there.size()); ++i) {
    if (i >= wanted.size()) fail(printable(name), ": unexpected parameter ", there[i].path);
    if (i >= there.size()) fail(printable(name), ": missing parameter ", wanted[i].path);
    if (wanted[i].path != there[i].path)
      fail(printable(name), ": expected parameter ", wanted[i].path, ", got ", there[i].path);
    if (!(wanted[i].shape == there[i].shape))
      fail(printable(name), ": parameter ", wanted[i].path, ": expected ", wanted[i].shape, ", got ", there[i].shape);
  }
  assign(to, from.master());
}

template <backend B, element T>
class trainees {
 public:
  using master = master_t<T>;

  trainees(B& device, const run_settings& s) : settings_(s), seed_(s.seed), model_(device, s.model) {}
  trainees(const trainees&) = delete;

  latent_model<B, T>& model() { return model_; }
  std::optional<stage1_trainer<B, T>>& stage1() { return stage1_; }
  std::optional<stage2_trainer<B, T>>& stage2() { return stage2_; }
  bool in_training() const { return stage1_ || stage2_; }

  // New weights, or those of another model.
  void begin() {
    model_.stage1.weights.allocate(seed_.split(0));
    if (!settings_.init_from.empty()) {
      const auto from = load<T>(model_.device(), settings_.init_from);
      take_weights(model_.stage1.weights, from.stage1.weights, settings_.init_from);
      model_.stage1.scale = from.stage1.scale;
    }
    if (settings_.stage1.steps > 0) make_stage1();
  }

  // From now on the autoencoder has its averaged weights, and they stay.
  void end_stage1() {
    if (stage1_) assign(model_.stage1.weights, stage1_->state().average().average());
    stage1_.reset();
    model_.stage1.weights.drop_gradient();
  }

  // The base model, for latents of that rms.
  void begin_stage2(double rms) {
    base_model<B, T>& base = model_.add_base();
    base.weights.allocate(seed_.split(1));
    base.scale = latent_scale(rms);
    if (settings_.stage1.steps == 0) {
      const auto from = load<T>(model_.device(), settings_.init_from);
      if (from.stage2) take_weights(base.weights, from.stage2->weights, settings_.init_from);
    }
    make_stage2();
  }

  void save(checkpoint_contents<master>& out) const {
    if (stage1_) stage1_->state().save(out, stage1_->name);
    if (!stage2_) return;
    out.add_weights(autoencoder_part, model_.stage1.weights, model_.stage1.weights.master());
    out.state.set(autoencoder_part, json::object{{"log_rms", *model_.stage1.scale.log_rms()}});
    stage2_->state().save(out, stage2_->name);
  }

  void restore(const checkpoint& saved) {
    model_.stage1.weights.allocate();
    if (saved.state.find(stage1_trainer<B, T>::name)) {
      make_stage1();
      stage1_->state().restore(saved, stage1_->name);
      return;
    }
    load_parameters(model_.stage1.weights, saved[autoencoder_part]);
    model_.stage1.scale = latent_scale::from_log_rms(saved.state[autoencoder_part]["log_rms"].number("log_rms"));
    model_.add_base().weights.allocate();
    make_stage2();
    stage2_->state().restore(saved, stage2_->name);
  }

  // Calls f while what is in training has its averaged weights.
  template <class F>
  void with_averaged_weights(F&& f) {
    if (stage1_) {
      const averaged_weights<B, T> smooth(model_.stage1.weights, stage1_->state().average());
      f();
    } else if (stage2_) {
      const averaged_weights<B, T> smooth(model_.stage2->weights, stage2_->state().average());
      f();
    } else {
      f();
    }
  }

 private:
  static constexpr const char* autoencoder_part = "autoencoder";

  void make_stage1() { stage1_.emplace(model_.stage1, settings_.stage1, seed_.split(2)); }
  void make_stage2() { stage2_.emplace(model_, settings_.stage2, seed_.split(3)); }

  run_settings settings_;
  key seed_;
  latent_model<B, T> model_;
  std::optional<stage1_trainer<B, T>> stage1_;
  std::optional<stage2_trainer<B, T>> stage2_;
};

}  // namespace ul
