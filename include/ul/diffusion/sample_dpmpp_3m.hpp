#pragma once

#include <ul/diffusion/exponential_moment.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>

namespace ul {

// corrected: order 3, begun by one 2S step. published: as in k-diffusion, begun by a step of order 1 and with half the
// second difference, which makes it of order 2.
enum class dpmpp_3m_form { corrected, published };

struct dpmpp_3m_options {
  extent first = 0;
  dpmpp_3m_form form = dpmpp_3m_form::corrected;
};

namespace detail {

template <class State, class Denoiser, class Noise, class Observer>
State run_dpmpp_3m(const char* name, Denoiser& denoiser, State x, const logsnr_grid& grid, double eta, Noise& noise,
                   const dpmpp_3m_options& options, Observer& observer) {
  const bool published = options.form == dpmpp_3m_form::published;
  const extent first = grid.check_first(options.first, name);
  State before{}, earlier{};  // x^ of the last step and of the one before it
  double h_before = 0, h_earlier = 0;
  for (extent i = first; i < grid.steps(); ++i) {
    const double t = grid[i], s = grid[i + 1], h = t == s ? 0 : (s - t) / 2;
    const double damped = eta == 0 ? 0 : eta * h;  // h is infinite in a step to clean data
    const auto prediction = denoiser(std::as_const(x), t);
    State denoised = clean<State>(prediction);
    const double keep = sigma(s) / sigma(t) * exp(-damped), reach = (1 + eta) * h;
    const double gain = alpha(s) * exponential_moment(0, reach), spread = sigma(s) * sqrt(-expm1(-2 * damped));
    if (h == 0 || s == logsnr_of_clean || (h_before == 0 && published)) {
      x = combine(keep, x, gain, denoised);
    } else if (h_before == 0) {
      const State half_way = dpmpp_2s_move(x, denoised, t, (t + s) / 2, 0, i, noise);
      x = combine(keep, x, gain, clean<State>(denoiser(half_way, (t + s) / 2)));
    } else {
      // x^ at share u of the step, through the values at 0, -r and -(r + q): denoised + linear u + quadratic u^2.
      const double on_linear = alpha(s) * exponential_moment(1, reach), r = h_before / h, q = h_earlier / h;
      if (h_earlier == 0) {
        x = combine(keep, x, gain + on_linear / r, denoised, -on_linear / r, before);
      } else {
        const double on_quadratic = alpha(s) * exponential_moment(2, reach) * (published ? 0.5 : 1);
        // The quadratic term is (first - second) / (r + q), the linear first + r times it, of the slopes
        // first = (denoised - before) / r and second = (before - earlier) / q.
        const double curve = (on_quadratic + r * on_linear) / (r + q), slope = on_linear + curve;
        x = combine(keep, x, gain + slope / r, denoised, -slope / r - curve / q, before, curve / q, earlier);
      }
    }
    if (spread > 0) x = combine(1.0, x, spread, State(noise(i)));
    earlier = std::move(before);
    before = std::move(denoised);
    h_earlier = h_before;
    h_before = h;
    if (stops(observer, sampler_step<State>{i, grid.steps(), t, s, before, x})) break;
  }
  return x;
}

}  // namespace detail

// DPM-Solver++ (3M): x^ is extrapolated quadratically in log-SNR from the last three calls. One denoiser call a step
// and one more in the first. Order 3.
// Source: Lu et al., arXiv 2211.01095, section 5 and appendix B (the integrals are exact here).
template <sampler_state State, class Denoiser, class Observer = no_observer>
State sample_dpmpp_3m(Denoiser&& denoiser, State x, const logsnr_grid& grid, const dpmpp_3m_options& options = {},
                      Observer&& observer = {}) {
  const detail::no_noise<State> noise{"sample_dpmpp_3m"};
  return detail::run_dpmpp_3m("sample_dpmpp_3m", denoiser, std::move(x), grid, 0, noise, options, observer);
}

struct dpmpp_3m_sde_options {
  extent first = 0;
  dpmpp_3m_form form = dpmpp_3m_form::corrected;
  double eta = 1;  // 0 is the ODE
};

// Its SDE form, one draw a step. Source: Crowson, k-diffusion (sample_dpmpp_3m_sde).
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_dpmpp_3m_sde(Denoiser&& denoiser, State x, const logsnr_grid& grid, Noise&& noise,
                          const dpmpp_3m_sde_options& options = {}, Observer&& observer = {}) {
  if (!(options.eta >= 0)) fail("sample_dpmpp_3m_sde: eta is ", options.eta, ", expected at least 0");
  return detail::run_dpmpp_3m("sample_dpmpp_3m_sde", denoiser, std::move(x), grid, options.eta, noise,
                              {options.first, options.form}, observer);
}

}  // namespace ul
