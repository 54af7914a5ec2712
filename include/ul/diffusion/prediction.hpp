#pragma once
// What a network predicts. Every usual target F is a combination of the clean x and the noise eps,
//   F = target.x * x + target.eps * eps,
// and both are recovered from the noisy state x_t = alpha x + sigma eps by another combination of x_t and F. A
// prediction is a small value with these members, V being float, double or a SIMD pack:
//   target(lambda)      the coefficients of x and eps in F
//   x(lambda)           the coefficients of x_t and F in x
//   eps(lambda)         the coefficients of x_t and F in eps
//   eps_error(lambda)   ||eps - eps^||^2 / ||F - F^||^2
//   input(lambda)       the factor on x_t that makes the network's input
// All are finite at every finite lambda and, where the quantity exists, at lambda = -inf (zero terminal SNR) and +inf;
// where it does not (x from eps at alpha = 0, eps from x at sigma = 0) scalars throw ul::error.
// Sources: Salimans and Ho, arXiv 2202.00512 (v); Lipman et al., arXiv 2210.02747 (velocity); Song et al., arXiv
// 2011.13456 (score); Karras et al., arXiv 2206.00364, table 1 (EDM).

#include <type_traits>

#include <ul/core/error.hpp>
#include <ul/diffusion/logsnr.hpp>

namespace ul {

// F = x * clean + eps * noise.
template <class V>
struct target_coefficients {
  V x, eps;
};

// state * x_t + output * F.
template <class V>
struct recovery_coefficients {
  V state, output;
};

template <class P>
concept prediction = requires(const P& p, double logsnr) {
  { p.target(logsnr).x + p.target(logsnr).eps } -> std::convertible_to<double>;
  { p.x(logsnr).state + p.x(logsnr).output } -> std::convertible_to<double>;
  { p.eps(logsnr).state + p.eps(logsnr).output } -> std::convertible_to<double>;
  { p.eps_error(logsnr) } -> std::convertible_to<double>;
  { p.input(logsnr) } -> std::convertible_to<double>;
};

namespace detail {

// 1 / v for a divisor that must not vanish.
template <class V>
V reciprocal(V v, const char* what) {
  if constexpr (std::is_floating_point_v<V>)
    if (v == 0) fail(what);
  return constant<V>(1) / v;
}

struct unscaled_input {
  template <class V>
  V input(V) const {
    return constant<V>(1);
  }
};

}  // namespace detail

// The clean data.
struct x_prediction : detail::unscaled_input {
  template <class V>
  target_coefficients<V> target(V) const {
    return {constant<V>(1), constant<V>(0)};
  }
  template <class V>
  recovery_coefficients<V> x(V) const {
    return {constant<V>(0), constant<V>(1)};
  }
  template <class V>
  recovery_coefficients<V> eps(V logsnr) const {
    const V inverse = detail::reciprocal(sigma(logsnr), "x_prediction: sigma is 0, so eps does not follow from x");
    return {inverse, -alpha(logsnr) * inverse};
  }
  template <class V>
  V eps_error(V logsnr) const {
    return snr(logsnr);
  }
};

// The noise.
struct eps_prediction : detail::unscaled_input {
  template <class V>
  target_coefficients<V> target(V) const {
    return {constant<V>(0), constant<V>(1)};
  }
  template <class V>
  recovery_coefficients<V> x(V logsnr) const {
    const V inverse = detail::reciprocal(alpha(logsnr), "eps_prediction: alpha is 0, so x does not follow from eps");
    return {inverse, -sigma(logsnr) * inverse};
  }
  template <class V>
  recovery_coefficients<V> eps(V) const {
    return {constant<V>(0), constant<V>(1)};
  }
  template <class V>
  V eps_error(V) const {
    return constant<V>(1);
  }
};

// v = alpha eps - sigma x, the derivative of x_t by the angle whose cosine is alpha.
struct v_prediction : detail::unscaled_input {
  template <class V>
  target_coefficients<V> target(V logsnr) const {
    return {-sigma(logsnr), alpha(logsnr)};
  }
  template <class V>
  recovery_coefficients<V> x(V logsnr) const {
    return {alpha(logsnr), -sigma(logsnr)};
  }
  template <class V>
  recovery_coefficients<V> eps(V logsnr) const {
    return {sigma(logsnr), alpha(logsnr)};
  }
  template <class V>
  V eps_error(V logsnr) const {
    return alpha_squared(logsnr);
  }
};

// The velocity eps - x of the straight line. The network sees the state of that line, x_t / (alpha + sigma).
struct flow_prediction {
  template <class V>
  target_coefficients<V> target(V) const {
    return {constant<V>(-1), constant<V>(1)};
  }
  template <class V>
  recovery_coefficients<V> x(V logsnr) const {
    const V scale = input(logsnr);
    return {scale, -sigma(logsnr) * scale};
  }
  template <class V>
  recovery_coefficients<V> eps(V logsnr) const {
    const V scale = input(logsnr);
    return {scale, alpha(logsnr) * scale};
  }
  template <class V>
  V eps_error(V logsnr) const {
    const V ratio = alpha(logsnr) * input(logsnr);
    return ratio * ratio;
  }
  template <class V>
  V input(V logsnr) const {
    return constant<V>(1) / (alpha(logsnr) + sigma(logsnr));
  }
};

// The score of the noisy marginal, -eps / sigma in expectation.
struct score_prediction : detail::unscaled_input {
  template <class V>
  target_coefficients<V> target(V logsnr) const {
    return {constant<V>(0), -detail::reciprocal(sigma(logsnr), "score_prediction: sigma is 0, the score is infinite")};
  }
  template <class V>
  recovery_coefficients<V> x(V logsnr) const {
    const V inverse = detail::reciprocal(alpha(logsnr), "score_prediction: alpha is 0, so x does not follow from it");
    return {inverse, sigma_squared(logsnr) * inverse};
  }
  template <class V>
  recovery_coefficients<V> eps(V logsnr) const {
    return {constant<V>(0), -sigma(logsnr)};
  }
  template <class V>
  V eps_error(V logsnr) const {
    return sigma_squared(logsnr);
  }
};

// EDM's preconditioned output, F = (sigma x / d - alpha d eps) / r with d = sigma_data and r^2 = alpha^2 d^2 + sigma^2,
// which for d = 1 is -v. The network sees x_t / r, of unit variance; EDM's c_noise is -lambda / 8.
struct edm_prediction {
  double sigma_data = 0.5;

  template <class V>
  target_coefficients<V> target(V logsnr) const {
    const V scale = input(logsnr);
    return {sigma(logsnr) * scale / constant<V>(sigma_data), -alpha(logsnr) * scale * constant<V>(sigma_data)};
  }
  template <class V>
  recovery_coefficients<V> x(V logsnr) const {
    const V scale = input(logsnr), d = constant<V>(sigma_data);
    return {alpha(logsnr) * d * d * scale * scale, sigma(logsnr) * d * scale};
  }
  template <class V>
  recovery_coefficients<V> eps(V logsnr) const {
    const V scale = input(logsnr);
    return {sigma(logsnr) * scale * scale, -alpha(logsnr) * constant<V>(sigma_data) * scale};
  }
  template <class V>
  V eps_error(V logsnr) const {
    const V ratio = alpha(logsnr) * constant<V>(sigma_data) * input(logsnr);
    return ratio * ratio;
  }
  template <class V>
  V input(V logsnr) const {
    if (!(sigma_data > 0)) fail("edm_prediction: sigma_data is ", sigma_data, ", expected a positive one");
    return constant<V>(1) / sqrt(alpha_squared(logsnr) * constant<V>(sigma_data * sigma_data) + sigma_squared(logsnr));
  }
};

}  // namespace ul
