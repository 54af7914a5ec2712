#pragma once
// Published runs over a table of betas: DDPM, DDIM and its inversion, the DPM-Solver family, PNDM.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <ul/diffusion/replay.hpp>
#include <ul/diffusion/replay_ddpm.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_ddim.hpp>
#include <ul/diffusion/sample_pndm.hpp>
#include <ul/diffusion/thresholding.hpp>

#include "replay_support.hpp"

namespace test {

inline many ddpm(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const auto run =
      ul::replay::through(table, ul::replay::leading_times(table.size(), table.size()), ul::logsnr_of_clean);
  const auto denoiser = [&run](const many& x, double logsnr) {
    return ul::clipped(ul::replay::denoiser(ul::eps_prediction{}, run, dummy_model))(x, logsnr);
  };
  if (!is_tail(entry)) return ul::sample_ancestral(denoiser, dummy_sample(), run.grid, torch_noise());
  // The published figure holds only with the rounding of the published coefficients; the accurate one is its own.
  const ul::extent first = table.size() - 2;
  double accurate = 0;
  for (const double x :
       ul::sample_ancestral(denoiser, noised(run.grid, first), run.grid, torch_noise(), {.first = first}))
    accurate += std::abs(x);
  CHECK(accurate == doctest::Approx(387.9676).epsilon(1e-6));
  return ul::replay::sample_ddpm(denoiser, noised(run.grid, first), table, torch_noise(), {.first = first});
}

inline many ddim(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const auto run = ul::replay::through(table, times_of(setting), ul::logsnr_of_clean);
  REQUIRE(setting.at("final_alpha") == 1.0);
  return with_prediction(setting, [&](auto p) {
    const auto denoiser = ul::clipped(ul::replay::denoiser(p, run, dummy_model));
    return ul::sample_ddim(denoiser, is_tail(entry) ? noised(run.grid, 0) : dummy_sample(), run.grid);
  });
}

// The network is told the time at the end of a step, the level is that of its beginning.
inline many ddim_inverse(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const auto listed = times_of(setting);
  const bool clean = setting.at("initial_alpha") == 1.0;
  std::vector<double> levels{clean ? ul::logsnr_of_clean : table.logsnr(0)}, times;
  for (const double t : listed) levels.push_back(table.logsnr(static_cast<ul::extent>(t)));
  std::vector<double> rising(levels.rbegin(), levels.rend());
  const ul::logsnr_grid grid(rising);
  ul::extent call = 0;
  const auto told = [&](const many& x, double) { return dummy_model(x, listed[static_cast<std::size_t>(call++)]); };
  const auto denoiser = [&](const many& x, double logsnr) {
    const many eps = told(x, logsnr);
    const auto c = ul::eps_prediction{}.x(logsnr);
    return ul::estimate<many>{ul::clamped(ul::combine(c.state, x, c.output, eps), -1, 1), eps};
  };
  return ul::invert_ddim(denoiser, dummy_sample(), grid);
}

// The run of an entry of the DPM-Solver family: linspace times of ten steps, or a grid of its own.
inline ul::replay::run solver_run(const json& setting) {
  const auto table = table_of(setting.at("schedule"));
  const ul::extent steps = setting.at("steps");
  const std::string grid = setting.value("grid", "");
  if (grid.starts_with("Karras")) return ul::replay::karras(table, steps);
  if (grid.starts_with("uniform in log sigma")) return ul::replay::uniform_logsnr(table, steps);
  const auto run = ul::replay::through(table, ul::replay::linspace_times(table.size(), steps), table.logsnr(0));
  // A run that begins in the middle lists its own part of these times.
  const auto listed = times_of(setting);
  REQUIRE(std::equal(listed.rbegin(), listed.rend(), run.times.rbegin()));
  return run;
}

template <class Sampler>
many solver(const json& entry, Sampler sampler) {
  const json& setting = entry.at("setting");
  const auto run = solver_run(setting);
  const ul::extent first = run.grid.steps() - static_cast<ul::extent>(times_of(setting).size());
  return with_prediction(setting, [&](auto p) {
    return sampler(ul::replay::denoiser(p, run, dummy_model), is_tail(entry) ? noised(run.grid, first) : dummy_sample(),
                   run.grid, first, setting.at("lower_order_final").template get<bool>());
  });
}

inline many pndm(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  const auto prk = setting.at("prk_times").get<std::vector<double>>();
  const auto plms = setting.at("plms_times").get<std::vector<double>>();
  std::vector<double> times{prk[0], prk[4], prk[8]}, middles{prk[1], prk[5], prk[9]};
  times.insert(times.end(), plms.begin(), plms.end());
  auto run = ul::replay::through(table, times, table.logsnr(0));
  std::vector<double> levels;
  for (const double t : middles) levels.push_back(table.logsnr(static_cast<ul::extent>(t)));
  const auto told = [&](double logsnr) {
    for (std::size_t i = 0; i < 3; ++i)
      if (levels[i] == logsnr) return middles[i];
    return run.time_at(logsnr);
  };
  const auto denoiser = [&](const many& x, double logsnr) {
    const many eps = dummy_model(x, told(logsnr));
    const auto c = ul::eps_prediction{}.x(logsnr);
    return ul::estimate<many>{ul::combine(c.state, x, c.output, eps), eps};
  };
  return ul::sample_pndm(denoiser, dummy_sample(), run.grid, {.middles = levels});
}

}  // namespace test
