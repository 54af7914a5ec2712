#pragma once

#include <ul/diffusion/replay.hpp>

namespace ul::replay {

struct ddpm_options {
  extent first = 0;  // counted from the last table step
};

// Ancestral sampling through every step of a table with the coefficients of the published code, each intermediate in
// single precision. Near t = 0 that costs three digits: sample_ancestral over through(table, ...) is the accurate form.
// Source: Ho et al., arXiv 2006.11239, equations 6 and 7; order of operations: Hugging Face diffusers (DDPMScheduler).
template <sampler_state State, class Denoiser, noise_source<State> Noise, class Observer = no_observer>
State sample_ddpm(Denoiser&& denoiser, State x, const beta_table& table, Noise&& noise,
                  const ddpm_options& options = {}, Observer&& observer = {}) {
  const extent n = table.size();
  if (options.first < 0 || options.first >= n) fail("sample_ddpm: first step is ", options.first, " of ", n);
  for (extent i = options.first; i < n; ++i) {
    const extent step = n - 1 - i;
    const auto kept = static_cast<float>(table.alpha_bar[static_cast<std::size_t>(step)]);
    const float kept_next = step > 0 ? static_cast<float>(table.alpha_bar[static_cast<std::size_t>(step - 1)]) : 1.0f;
    const float ratio = kept / kept_next, beta = 1 - ratio, noised = 1 - kept, noised_next = 1 - kept_next;
    const float on_clean = sqrt(kept_next) * beta / noised, on_state = sqrt(ratio) * noised_next / noised;
    const double t = table.logsnr(step), s = step > 0 ? table.logsnr(step - 1) : logsnr_of_clean;
    const auto prediction = denoiser(std::as_const(x), t);
    const State& denoised = ul::detail::clean<State>(prediction);
    x = combine(double{on_state}, x, double{on_clean}, denoised);
    if (step > 0) x = combine(1.0, x, sqrt(double{noised_next / noised * beta}), State(noise(i)));
    if (ul::detail::stops(observer, sampler_step<State>{i, n, t, s, denoised, x})) break;
  }
  return x;
}

}  // namespace ul::replay
