#pragma once
// Loss weightings. A weighting is a callable of log-SNR, w(lambda), that multiplies the squared noise error
// ||eps - eps^||^2; with another prediction F the weight of ||F - F^||^2 is w(lambda) * F.eps_error(lambda), so that
// the loss is one number whatever the network predicts. Two measures are in use:
//   over log-SNR:  L = 1/2 integral of w ||eps - eps^||^2 d lambda; its value does not depend on the schedule's shape;
//   over time:     L = E over uniform t of w ||eps - eps^||^2, as most code has it; the schedule is part of the weight.
// A weighting over time says so with `static constexpr bool over_time = true`. V is float, double or a SIMD pack.
// Source: Kingma and Gao, Understanding Diffusion Objectives as the ELBO, arXiv 2303.00848.

#include <ul/diffusion/logsnr.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

template <class W>
concept weighting = requires(const W& w, double logsnr) {
  { w(logsnr) } -> std::convertible_to<double>;
};

template <weighting W>
inline constexpr bool over_time = [] {
  if constexpr (requires { W::over_time; }) return static_cast<bool>(W::over_time);
  return false;
}();

// 1: the bound itself, in nats.
struct elbo_weight {
  template <class V>
  UL_HD V operator()(V) const {
    return constant<V>(1);
  }
};

// loss_factor sigmoid(bias - lambda): discounts the low noise levels, above log-SNR `bias`.
// Source: Hoogeboom et al., simpler diffusion (SiD2), arXiv 2410.19324; Heek et al., Unified Latents, arXiv 2602.17270,
// equation 4, where bias is b and loss_factor is c_lf.
struct sigmoid_weight {
  double bias = 0;
  double loss_factor = 1;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return constant<V>(loss_factor) * sigmoid(constant<V>(bias) - logsnr);
  }
};

// The noise error unweighted, SNR on the data error. Source: Ho et al., DDPM, arXiv 2006.11239, equation 14.
struct snr_weight {
  static constexpr bool over_time = true;

  template <class V>
  UL_HD V operator()(V) const {
    return constant<V>(1);
  }
};

// max(SNR, 1) on the data error. Source: Salimans and Ho, arXiv 2202.00512, section 4.
struct truncated_snr_weight {
  static constexpr bool over_time = true;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return maximum(constant<V>(1), exp(-logsnr));
  }
};

// min(SNR, clip) on the data error. Source: Hang et al., arXiv 2303.09556, with clip its gamma.
struct min_snr_weight {
  static constexpr bool over_time = true;
  double clip = 5;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return minimum(constant<V>(1), constant<V>(clip) * exp(-logsnr));
  }
};

// SNR clip / (SNR + clip) on the data error, a smooth min-SNR. Source: Crowson et al., arXiv 2401.11605, section 4.
struct soft_min_snr_weight {
  static constexpr bool over_time = true;
  double clip = 5;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return sigmoid(constant<V>(log(clip)) - logsnr);
  }
};

// (sigma^2 + d^2) / (sigma d)^2 on the data error, d = sigma_data: 1 on EDM's output. Use with edm_schedule.
// Source: Karras et al., arXiv 2206.00364, table 1.
struct edm_weight {
  static constexpr bool over_time = true;
  double sigma_data = 0.5;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return constant<V>(1) + exp(-logsnr) * constant<V>(1 / (sigma_data * sigma_data));
  }
};

// 1 / (offset + SNR)^power on the noise error. Source: Choi et al., P2 weighting, arXiv 2204.00227, equation 8.
struct p2_weight {
  static constexpr bool over_time = true;
  double offset = 1;
  double power = 1;

  template <class V>
  UL_HD V operator()(V logsnr) const {
    return exp(constant<V>(-power) * (constant<V>(log(offset)) + softplus(logsnr - constant<V>(log(offset)))));
  }
};

// The weight over log-SNR that a weighting amounts to under a schedule at time t: w itself, or for a weighting over
// time 2 w / (-d lambda / dt).
template <weighting W, schedule S>
double logsnr_weight(const W& w, const S& s, double t) {
  const double value = w(s.logsnr(t));
  if constexpr (over_time<W>)
    return 2 * value / -s.dlogsnr(t);
  else
    return value;
}

// Whether the weight over log-SNR never rises with log-SNR, on n + 1 times: then the loss is a mixture of bounds, the
// ELBO of data with Gaussian noise added (Kingma and Gao, theorem 1).
template <weighting W, schedule S>
bool is_monotone(const W& w, const S& s, int n = 1000) {
  double before = logsnr_weight(w, s, 0.0);
  for (int i = 1; i <= n; ++i) {
    const double here = logsnr_weight(w, s, static_cast<double>(i) / n);
    if (here < before * (1 - 1e-12)) return false;
    before = here;
  }
  return true;
}

}  // namespace ul
