#pragma once
// Published runs over sigmas: the k-diffusion family and EDM.

#include <cmath>
#include <utility>

#include <ul/diffusion/replay.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_heun.hpp>

#include "replay_support.hpp"

namespace test {

// The k-diffusion family. Its tests scale the state x + sigma n by alpha before each step and go on with the scaled
// one; the observer does that here.
template <class Sampler>
many sigma_sampler(const json& entry, Sampler sampler) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const ul::extent steps = setting.at("steps");
  const auto run = ul::replay::through_sigmas(table, ul::replay::fractional_times(table.size(), steps));
  const ul::extent first = is_tail(entry) ? steps - 2 : 0;
  const double a = ul::alpha(run.grid[first]);
  many x = ul::combine(ul::edm_sigma(run.grid[0]), dummy_sample());
  if (first > 0) x = ul::combine(1.0, x, ul::edm_sigma(run.grid[first]), dummy_noise());
  const auto rescale = [](const auto& step) { step.state = ul::combine(ul::alpha(step.to), step.state); };
  // A state is alpha times the published one; the network sees the published one.
  const auto denoiser = [&run](const many& x_t, double logsnr) {
    const double alpha = ul::alpha(logsnr);
    const many eps = dummy_model(ul::combine(1 / alpha, x_t), run.time_at(logsnr));
    return ul::estimate<many>{ul::combine(1 / alpha, x_t, -ul::edm_sigma(logsnr), eps), eps};
  };
  return sampler(denoiser, ul::combine(a * a, x), run.grid, first, rescale, run);
}

inline many heun(const json& entry) {
  return sigma_sampler(entry, [](auto, many x, const auto& grid, ul::extent first, auto rescale, const auto& run) {
    // Every second call is made at a state the published code scales once more, which is the state as it stands here.
    bool corrector = false;
    ul::extent calls = 0;
    const auto denoiser = [&](const many& x_t, double logsnr) {
      const double alpha = ul::alpha(logsnr);
      const many eps = dummy_model(corrector ? x_t : ul::combine(1 / alpha, x_t), run.time_at(logsnr));
      corrector = !corrector;
      ++calls;
      return ul::estimate<many>{ul::combine(1 / alpha, x_t, -ul::edm_sigma(logsnr), eps), eps};
    };
    many out = ul::sample_heun(denoiser, std::move(x), grid, {.first = first}, rescale);
    CHECK(calls == 19);
    return out;
  });
}

inline many edm_euler(const json& entry) {
  const json& setting = entry.at("setting");
  const auto grid = ul::karras_grid(setting.at("steps").get<ul::extent>() - 1,
                                    {.sigma_min = setting.at("sigma_min"), .sigma_max = setting.at("sigma_max")})
                        .then(ul::logsnr_of_clean);
  const auto denoiser = ul::denoiser_of(ul::edm_prediction{.sigma_data = setting.at("sigma_data")},
                                        [](const many& x, double logsnr) { return dummy_model(x, -logsnr / 8); });
  return ul::sample_euler(denoiser, ul::combine(ul::alpha(grid[0]) * std::sqrt(6401.0), dummy_sample()), grid);
}

inline many edm_dpmpp(const json& entry) {
  const json& setting = entry.at("setting");
  const ul::karras_options range{.sigma_min = setting.at("sigma_min"), .sigma_max = setting.at("sigma_max")};
  const auto grid = ul::karras_grid(setting.at("steps").get<ul::extent>() - 1, range)
                        .then(ul::logsnr_from_edm_sigma(range.sigma_min));
  // The network sees the unscaled state.
  const auto denoiser = [&](const many& x_t, double logsnr) {
    const auto c = ul::edm_prediction{.sigma_data = setting.at("sigma_data")}.x(logsnr);
    return ul::combine(c.state, x_t, c.output, dummy_model(ul::combine(1 / ul::alpha(logsnr), x_t), -logsnr / 8));
  };
  const ul::extent first = is_tail(entry) ? 5 : 0;
  many x = dummy_sample();
  if (first > 0) x = ul::combine(1.0, x, ul::edm_sigma(grid[first]), dummy_noise());
  return ul::sample_dpmpp_2m(denoiser, ul::combine(ul::alpha(grid[first]), x), grid, {.first = first});
}

}  // namespace test
