#pragma once
// Stage 2 step by step: the base model on the latents of a frozen encoder. A step is a pure function of the weights,
// the latents, their labels and the number of the step.

#include <ul/latent/model.hpp>
#include <ul/train/training_state.hpp>

namespace ul {

template <backend B, element T>
class stage2_trainer {
 public:
  static constexpr const char* name = "stage2";

  // Trains the base model of `model`, which must outlive this and be allocated; its scale must be that of the latents.
  // All noise comes from the key. Throws ul::error when there is no base model.
  stage2_trainer(latent_model<B, T>& model, const stage_settings& s, key noise)
      : model_(model), state_(base_of(model).weights, base_of(model).scale, s), noise_(noise) {}

  training_state<B, T>& state() { return state_; }
  const training_state<B, T>& state() const { return state_; }

  // Step number `step` (from 0) with latents z (B, h, w, c) and, for a model with classes, their labels. The report
  // says everything but step, steps and flops.
  step_report step(extent step, const tensor<B, T>& z, std::span<const extent> labels) {
    const latent_config& c = model_.config();
    base_model<B, T>& base = *model_.stage2;
    const double pixels = static_cast<double>(c.pixels()), unit = pixels * nats_per_bit;
    const extent n = z.shape()[0];
    base.weights.zero_gradient();
    tape<B> t;
    const batch_draw draw{noise_.fold_in(static_cast<std::uint64_t>(step)), 0, n};
    const auto losses = stage2_loss(base.network, c, base.scale, t.constant(z), labels, draw, mode::train);
    const auto total = affine(sum(losses), {.scale = 1 / (unit * static_cast<double>(n))});
    t.backward(total);

    const double loss = static_cast<double>(to_scalar(total.value()));
    step_report r{.loss = loss * unit, .bits_per_pixel = bits(bound(z, losses.value(), draw)) / pixels, .images = n};
    state_.update(step, loss, base.scale, r);
    return r;
  }

 private:
  static base_model<B, T>& base_of(latent_model<B, T>& m) {
    if (!m.stage2) fail("stage2_trainer: the model has no base model");
    return *m.stage2;
  }

  // Nats that bound the information in z_0: the same errors at weight 1, and the terminal term.
  double bound(const tensor<B, T>& z, const tensor<B, compute_t<T>>& losses, const batch_draw& draw) const {
    const latent_config& c = model_.config();
    const latent_scale& scale = model_.stage2->scale;
    const auto weighted = to_host(losses), terminal = to_host(latent_kl(var<B, T>(z), c.base.logsnr_min).value());
    const auto levels = draw.coefficients(z.shape()[0], 1, base_schedule(c, scale), elbo_weight{});
    double sum = 0;
    for (std::size_t i = 0; i < weighted.size(); ++i) {
      const double weight = sigmoid_weight{.bias = c.base.bias}(scale.unshifted(levels[i].logsnr));
      sum += static_cast<double>(weighted[i]) / weight + static_cast<double>(terminal[i]);
    }
    return sum / static_cast<double>(weighted.size());
  }

  latent_model<B, T>& model_;
  training_state<B, T> state_;
  key noise_;
};

}  // namespace ul
