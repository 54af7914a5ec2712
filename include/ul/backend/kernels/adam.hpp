#pragma once
// One step of Adam over a flat store, with the averaged weights and the shadow in compute precision in the same pass.

#include <cmath>

#include <ul/backend/concept.hpp>

namespace ul {

enum class weight_decay { coupled, decoupled };  // added to the gradient (Adam), taken from the weight (AdamW)

// With g = gradient * gradient_scale (+ decay * value when coupled):
//   first = beta1 first + (1 - beta1) g,   second = beta2 second + (1 - beta2) g^2
//   value -= rate * (first / correction1) / (sqrt(second / correction2) + eps)  (and rate * decay * value, decoupled)
//   average += (1 - average_decay) (value - average)
// where correction = 1 - beta^step. `average` and `shadow` may be null. Kingma & Ba 2015, algorithm 1 (epsilon outside
// the corrected root); Loshchilov & Hutter 2019.
template <class T>
struct adam_step {
  using master = master_t<T>;

  extent count = 0;
  master* value = nullptr;
  const master* gradient = nullptr;
  master* first = nullptr;
  master* second = nullptr;
  master* average = nullptr;
  T* shadow = nullptr;
  double gradient_scale = 1, rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0;
  double correction1 = 1, correction2 = 1, average_decay = 0;
  weight_decay kind = weight_decay::decoupled;

  template <backend B>
  void composed(B& device) const {
    device.for_each(count, 16, *this);
  }

  UL_HD void operator()(extent i) const {
    const double w = static_cast<double>(value[i]);
    double g = static_cast<double>(gradient[i]) * gradient_scale;
    if (kind == weight_decay::coupled) g += decay * w;
    const double m = beta1 * static_cast<double>(first[i]) + (1 - beta1) * g;
    const double v = beta2 * static_cast<double>(second[i]) + (1 - beta2) * g * g;
    double next = w - rate * (m / correction1) / (std::sqrt(v / correction2) + eps);
    if (kind == weight_decay::decoupled) next -= rate * decay * w;
    first[i] = static_cast<master>(m);
    second[i] = static_cast<master>(v);
    value[i] = static_cast<master>(next);
    if (average) average[i] += static_cast<master>((1 - average_decay) * (next - static_cast<double>(average[i])));
    if (shadow) shadow[i] = static_cast<T>(static_cast<master>(next));
  }
};

}  // namespace ul
