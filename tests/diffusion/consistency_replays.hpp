#pragma once
// Published runs of consistency models, latent consistency and trajectory consistency.

#include <cmath>
#include <vector>

#include <ul/diffusion/replay.hpp>
#include <ul/diffusion/sample_consistency.hpp>
#include <ul/diffusion/sample_tcd.hpp>
#include <ul/diffusion/state_geometry.hpp>

#include "replay_support.hpp"

namespace test {

inline many latent_consistency(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const auto run = ul::replay::through(table, times_of(setting), ul::logsnr_of_clean);
  const auto inner = ul::replay::denoiser(ul::eps_prediction{}, run, dummy_model);
  const auto consistency = [&, inner](const many& x, double logsnr) {
    const auto c = ul::lcm_boundary(run.time_at(logsnr));
    return ul::combine(c.state, x, c.output, inner(x, logsnr).x);
  };
  return ul::sample_lcm(consistency, dummy_sample(), run.grid, torch_noise());
}

inline many trajectory_consistency(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  REQUIRE(setting.at("n") == 1);
  const auto run = ul::replay::through(table, {999}, table.logsnr(0));
  return ul::sample_tcd(ul::replay::denoiser(ul::eps_prediction{}, run, dummy_model), dummy_sample(), run.grid,
                        torch_noise());
}

inline many consistency_model(const json& entry) {
  const json& setting = entry.at("setting");
  const ul::extent n = setting.at("num_train_timesteps");
  const double low = setting.at("sigma_min"), high = setting.at("sigma_max"), d = setting.at("sigma_data");
  const auto all = ul::karras_grid(n - 1, {.sigma_min = low, .sigma_max = high});
  std::vector<double> levels;
  if (is_tail(entry))
    for (ul::extent i = 0; i <= 180; i += 20) levels.push_back(all[i]);
  else
    levels.push_back(all[setting.at("indices").at(0).get<ul::extent>()]);
  const auto grid = ul::logsnr_grid(levels.size() > 1 ? levels : std::vector<double>{levels[0], all[n - 1]});
  const auto full = levels.size() > 1 ? grid.then(all[n - 1]) : grid;
  const auto consistency = [&](const many& x_t, double logsnr) {
    const double s = ul::edm_sigma(logsnr);
    const many x = ul::combine(1 / ul::alpha(logsnr), x_t);
    const auto c = ul::consistency_boundary(s, low, d);
    const many output = dummy_model(ul::combine(1 / std::sqrt(s * s + d * d), x), 250 * std::log(s + 1e-44));
    return ul::clamped(ul::combine(c.state, x, c.output, output), -1, 1);
  };
  const ul::extent first = is_tail(entry) ? 8 : 0;
  many x = ul::combine(high, dummy_sample());
  if (first > 0) x = ul::combine(1.0, x, ul::edm_sigma(full[first]), dummy_noise());
  const many out = ul::sample_consistency(consistency, ul::combine(ul::alpha(full[first]), x), full, torch_noise(),
                                          {.first = first, .sigma_min = low});
  return ul::combine(1 / ul::alpha(full[full.steps()]), out);
}

}  // namespace test
