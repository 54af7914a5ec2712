#pragma once
// The scale of the latents. Nothing normalises z_clean, and in training its rms drifts; so networks see u = z_clean / s,
// with s a running rms, at the shifted log-SNR lambda' = lambda + 2 log s. Then
//   z_t / sqrt(alpha^2 s^2 + sigma^2) = alpha(lambda') u + sigma(lambda') eps
// is exactly a variance-preserving process of u, and e^lambda ||z - z^||^2 = sigmoid(lambda') ||v' - v^'||^2: every term
// of the bound keeps its value. Levels keep their end points in lambda; the schedule's shape is centred in lambda'.

#include <cmath>
#include <optional>

#include <ul/core/error.hpp>
#include <ul/diffusion/logsnr.hpp>

namespace ul {

class latent_scale {
 public:
  latent_scale() = default;
  explicit latent_scale(double rms) : log_rms_(std::log(rms)), known_(true) {
    if (!(rms > 0)) fail("latent_scale: rms is ", rms, ", expected above 0");
  }

  double rms() const { return std::exp(log_rms_); }

  // lambda', the level of u in z at level lambda, and back.
  double shifted(double logsnr) const { return logsnr + 2 * log_rms_; }
  double unshifted(double logsnr) const { return logsnr - 2 * log_rms_; }

  // The factor that brings z at a level to unit variance.
  double normaliser(double logsnr) const {
    return 1 / std::sqrt(alpha_squared(logsnr) * rms() * rms() + sigma_squared(logsnr));
  }

  // Follows the rms of a batch: an average of its logarithm, starting at the first one seen. A batch of zeros, or one
  // that is not finite, is passed over.
  void observe(double rms) {
    if (!(rms > 0) || !std::isfinite(rms)) return;
    log_rms_ = known_ ? decay * log_rms_ + (1 - decay) * std::log(rms) : std::log(rms);
    known_ = true;
  }

  // For checkpoints: the exact state, none before anything was observed, and a scale in that state.
  std::optional<double> log_rms() const { return known_ ? std::optional(log_rms_) : std::nullopt; }
  static latent_scale from_log_rms(std::optional<double> log_rms) {
    if (log_rms && !std::isfinite(*log_rms)) fail("latent_scale: log rms is ", *log_rms, ", expected a finite number");
    latent_scale s;
    s.known_ = log_rms.has_value();
    s.log_rms_ = log_rms.value_or(0);
    return s;
  }

  static constexpr double decay = 0.95;

 private:
  double log_rms_ = 0;
  bool known_ = false;
};

}  // namespace ul
