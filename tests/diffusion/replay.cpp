// Replays published runs from tests/data/diffusion.json with the library's own samplers. States are 768 numbers; the
// dummy network is model(x, t) = x t / (t + 1).

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <ul/core/torch_stream.hpp>
#include <ul/diffusion/replay.hpp>
#include <ul/diffusion/replay_ddpm.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_consistency.hpp>
#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_lms.hpp>
#include <ul/diffusion/sample_pndm.hpp>
#include <ul/diffusion/sample_tcd.hpp>
#include <ul/diffusion/sample_unipc.hpp>
#include <ul/diffusion/thresholding.hpp>

namespace {

using json = nlohmann::json;
using many = std::vector<double>;

json load() {
  std::ifstream file(UL_SOURCE_DIR "/tests/data/diffusion.json");
  REQUIRE(file);
  return json::parse(file);
}

// The value of each of the 4 x 3 x 8 x 8 elements in memory order (b, c, h, w).
template <class F>
many filled(F f) {
  many x;
  for (int b = 0; b < 4; ++b)
    for (int i = 0; i < 192; ++i) x.push_back(f(4 * i + b));
  return x;
}
many dummy_sample() {
  return filled([](int i) { return i / 768.0; });
}
many dummy_noise() {
  return filled([](int i) { return (767 - i) / 768.0; });
}
many dummy_model(const many& x, double t) { return ul::combine(t / (t + 1), x); }

// Draws follow one another in the stream, whatever their number.
auto torch_noise() {
  return [stream = ul::torch_stream(0)](ul::extent) mutable {
    std::vector<float> draw(768);
    stream.normal(draw.data(), 768);
    return many(draw.begin(), draw.end());
  };
}

ul::beta_table table_of(const json& schedule) {
  const std::string kind = schedule.at("beta_schedule");
  const ul::extent n = schedule.at("num_train_timesteps");
  const auto p = ul::table_precision::float32;
  if (kind == "linear") return ul::linear_beta_table(n, schedule.at("beta_start"), schedule.at("beta_end"), p);
  if (kind.starts_with("scaled_linear"))
    return ul::scaled_linear_beta_table(n, schedule.at("beta_start"), schedule.at("beta_end"), p);
  REQUIRE(kind.starts_with("squared-cosine"));
  return ul::cosine_beta_table(n, 0.008, 0.999, p);
}

std::vector<double> times_of(const json& setting) { return setting.at("timesteps").get<std::vector<double>>(); }

// f(prediction) for the prediction the entry names.
template <class F>
many with_prediction(const json& setting, F f) {
  return setting.at("prediction") == "v" ? f(ul::v_prediction{}) : f(ul::eps_prediction{});
}

many noised(const ul::logsnr_grid& grid, ul::extent i) {
  return ul::combine(ul::alpha(grid[i]), dummy_sample(), ul::sigma(grid[i]), dummy_noise());
}
bool is_tail(const json& entry) {
  const std::string id = entry.at("id");
  return id.ends_with("_tail");
}

many ddpm(const json& entry) {
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

many ddim(const json& entry) {
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
many ddim_inverse(const json& entry) {
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
ul::replay::run solver_run(const json& setting) {
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

many heun(const json& entry) {
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

many edm_euler(const json& entry) {
  const json& setting = entry.at("setting");
  const auto grid = ul::karras_grid(setting.at("steps").get<ul::extent>() - 1,
                                    {.sigma_min = setting.at("sigma_min"), .sigma_max = setting.at("sigma_max")})
                        .then(ul::logsnr_of_clean);
  const auto denoiser = ul::denoiser_of(ul::edm_prediction{.sigma_data = setting.at("sigma_data")},
                                        [](const many& x, double logsnr) { return dummy_model(x, -logsnr / 8); });
  return ul::sample_euler(denoiser, ul::combine(ul::alpha(grid[0]) * std::sqrt(6401.0), dummy_sample()), grid);
}

many edm_dpmpp(const json& entry) {
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

many pndm(const json& entry) {
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

many latent_consistency(const json& entry) {
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

many trajectory_consistency(const json& entry) {
  const json& setting = entry.at("setting");
  const auto table = table_of(setting.at("schedule"));
  REQUIRE(setting.at("n") == 1);
  const auto run = ul::replay::through(table, {999}, table.logsnr(0));
  return ul::sample_tcd(ul::replay::denoiser(ul::eps_prediction{}, run, dummy_model), dummy_sample(), run.grid,
                        torch_noise());
}

many consistency_model(const json& entry) {
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

many replayed(const json& entry) {
  const std::string id = entry.at("id");
  const auto is = [&id](const char* family) { return id.starts_with(family); };
  if (is("ddpm_") || is("cosine_ddpm")) return ddpm(entry);
  if (is("ddim_inverse")) return ddim_inverse(entry);
  if (is("ddim_")) return ddim(entry);
  if (is("dpmpp2m_"))
    return solver(entry, [](auto d, many x, const auto& grid, ul::extent first, bool first_order_end) {
      return ul::sample_dpmpp_2m(d, x, grid, {.first = first, .first_order_end = first_order_end});
    });
  if (is("dpmpp2s_"))
    return solver(entry, [](auto d, many x, const auto& grid, ul::extent first, bool) {
      return ul::sample_dpmpp_2s_paired(d, x, grid, first);
    });
  if (is("unipc_"))
    return solver(entry, [](auto d, many x, const auto& grid, ul::extent first, bool first_order_end) {
      return ul::sample_unipc(d, x, grid, {.first = first, .first_order_end = first_order_end});
    });
  if (is("deis_"))
    return solver(entry, [](auto d, many x, const auto& grid, ul::extent first, bool first_order_end) {
      return ul::sample_deis(d, x, grid, {.first = first, .first_order_end = first_order_end});
    });
  if (is("euler_ancestral_"))
    return sigma_sampler(entry, [](auto d, many x, const auto& grid, ul::extent first, auto rescale, const auto&) {
      return ul::sample_euler_ancestral(d, x, grid, torch_noise(), {.first = first, .eta = 1}, rescale);
    });
  if (is("euler_"))
    return sigma_sampler(entry, [](auto d, many x, const auto& grid, ul::extent first, auto rescale, const auto&) {
      return ul::sample_euler(d, x, grid, {.first = first}, rescale);
    });
  if (is("heun_")) return heun(entry);
  if (is("lms_"))
    return sigma_sampler(entry, [](auto d, many x, const auto& grid, ul::extent first, auto rescale, const auto&) {
      return ul::sample_lms(d, x, grid, {.first = first, .restart = ul::multistep_restart::published}, rescale);
    });
  if (is("edm_euler")) return edm_euler(entry);
  if (is("edm_dpmpp2m")) return edm_dpmpp(entry);
  if (is("pndm_")) return pndm(entry);
  if (is("lcm_")) return latent_consistency(entry);
  if (is("tcd_")) return trajectory_consistency(entry);
  if (is("cm_")) return consistency_model(entry);
  FAIL("no replay for " << id);
  return {};
}

}  // namespace

TEST_CASE("published sampler runs") {
  const json file = load();
  int count = 0;
  for (const json& entry : file.at("vectors")) {
    if (entry.at("area") != "sampler") continue;
    ++count;
    INFO(entry.at("id").get<std::string>());
    double sum = 0;
    for (const double x : replayed(entry)) sum += std::abs(x);
    const json &expected = entry.at("expected"), &tolerance = entry.at("tolerance"), &recheck = entry.at("recheck");
    CHECK(std::abs(sum / 768 - expected.at("mean").get<double>()) <= tolerance.at("mean_abs").get<double>());
    if (expected.contains("sum")) {
      const double published = expected.at("sum");
      const double allowed = tolerance.contains("sum_abs") ? tolerance.at("sum_abs").get<double>()
                                                           : tolerance.at("sum_rel").get<double>() * published;
      CHECK(std::abs(sum - published) <= allowed);
    }
    if (recheck.contains("sum") && recheck.at("result") == "reproduced")
      CHECK(std::abs(sum - recheck.at("sum").get<double>()) <= 0.01);
  }
  CHECK(count == 38);
}

TEST_CASE("published schedules") {
  const json file = load();
  int count = 0;
  for (const json& entry : file.at("vectors")) {
    if (entry.at("area") != "schedule") continue;
    ++count;
    const std::string id = entry.at("id");
    INFO(id);
    const json &setting = entry.at("setting"), &expected = entry.at("expected");
    if (id == "ddpm_posterior_variance") {
      const auto table = table_of(setting);
      const auto variance = [&](ul::extent t) {
        return ul::posterior_variance(table.logsnr(t), t == 0 ? ul::logsnr_of_clean : table.logsnr(t - 1));
      };
      for (const int t : {0, 487, 999})
        CHECK(std::abs(variance(t) - expected.at("t=" + std::to_string(t)).get<double>()) <= 1e-5);
    } else if (id == "ddim_timesteps_offset") {
      CHECK(ul::replay::leading_times(setting.at("num_train_timesteps"), setting.at("steps"),
                                      setting.at("steps_offset")) ==
            expected.at("timesteps").get<std::vector<double>>());
    } else if (id == "flow_karras_sigma_grid") {
      const auto grid = ul::karras_grid(setting.at("steps").get<ul::extent>() - 1,
                                        {.sigma_min = setting.at("sigma_min"), .sigma_max = setting.at("sigma_max")})
                            .then(ul::logsnr_of_clean);
      for (ul::extent i = 0; i <= grid.steps(); ++i) {
        const double s = expected.at("sigmas").at(static_cast<std::size_t>(i));
        CHECK(std::abs(ul::flow_time(grid[i]) - s) <= 1e-8 + 1e-5 * s);
        if (i < grid.steps())
          CHECK(std::floor(1000 * ul::flow_time(grid[i])) == expected.at("timesteps").at(static_cast<std::size_t>(i)));
      }
    } else {
      REQUIRE(id == "karras_grid_18");
      const auto grid = ul::karras_grid(setting.at("n").get<ul::extent>() - 1);
      for (ul::extent i = 0; i <= grid.steps(); ++i) {
        const double s = expected.at("sigmas").at(static_cast<std::size_t>(i));
        CHECK(std::abs(ul::edm_sigma(grid[i]) - s) <= 1e-9 * s);
      }
    }
  }
  CHECK(count == 4);
}

TEST_CASE("spacing rules") {
  using ul::replay::rounded_to_even;
  CHECK(rounded_to_even(2.5) == 2);
  CHECK(rounded_to_even(3.5) == 4);
  CHECK(rounded_to_even(3.49) == 3);
  CHECK(ul::replay::leading_times(1000, 4) == std::vector<double>{750, 500, 250, 0});
  CHECK(ul::replay::trailing_times(1000, 4) == std::vector<double>{999, 749, 499, 249});
  CHECK(ul::replay::linspace_times(1000, 10) == std::vector<double>{999, 899, 799, 699, 599, 500, 400, 300, 200, 100});
  CHECK_THROWS_WITH(ul::replay::leading_times(10, 11), "leading_times: 11 steps of a table of 10");
  CHECK_THROWS_WITH(ul::replay::trailing_times(10, 0), "trailing_times: 0 steps of a table of 10");
}
