// Replays published runs from tests/data/diffusion.json with the library's own samplers.

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_lms.hpp>
#include <ul/diffusion/sample_unipc.hpp>

#include "consistency_replays.hpp"
#include "sigma_replays.hpp"
#include "table_replays.hpp"

namespace {

using namespace test;

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
