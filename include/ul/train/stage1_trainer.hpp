#pragma once
// Stage 1 step by step: encoder, prior and decoder together. A step is a pure function of the weights, the pictures and
// the number of the step.

#include <ul/latent/model.hpp>
#include <ul/train/training_state.hpp>

namespace ul {

template <backend B, element T>
class stage1_trainer {
 public:
  static constexpr const char* name = "stage1";

  // Trains `model`, which must outlive this and be allocated; all noise comes from the key.
  stage1_trainer(autoencoder<B, T>& model, const stage_settings& s, key noise)
      : model_(model), state_(model.weights, model.scale, s), noise_(noise) {}

  training_state<B, T>& state() { return state_; }
  const training_state<B, T>& state() const { return state_; }

  // Step number `step` (from 0) with pictures x (B, H, W, C). The report says everything but step, steps and flops.
  step_report step(extent step, const tensor<B, T>& x, std::span<const extent> = {}) {
    const latent_config& c = model_.networks.config;
    const double pixels = static_cast<double>(c.pixels()), unit = pixels * nats_per_bit;
    const latent_scale before = model_.scale;
    model_.weights.zero_gradient();
    tape<B> t;
    const batch_draw draw{noise_.fold_in(static_cast<std::uint64_t>(step)), 0, x.shape()[0]};
    const auto losses = stage1_loss(model_.networks, t.constant(x), model_.scale, draw);
    const auto total = losses.total(unit);
    t.backward(total);

    const double loss = static_cast<double>(to_scalar(total.value())), nats = losses.latent_nats();
    step_report r{.loss = loss * unit, .bits_per_pixel = bits(nats) / pixels, .images = x.shape()[0]};
    r.values = {{"decoder_nats", static_cast<double>(to_scalar(mean(losses.decoder.value())))},
                {"latent_rms", model_.scale.rms()}};
    state_.update(step, loss, before, r);
    return r;
  }

 private:
  autoencoder<B, T>& model_;
  training_state<B, T> state_;
  key noise_;
};

}  // namespace ul
