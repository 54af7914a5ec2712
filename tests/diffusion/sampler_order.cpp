// Orders of convergence on Gaussian data, where the exact map is known: uniform log-SNR grid from -2 to 5, slope from
// 320 to 640 steps.

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_2m.hpp>
#include <ul/diffusion/sample_dpmpp_2s.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_euler.hpp>
#include <ul/diffusion/sample_flow.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_lms.hpp>
#include <ul/diffusion/sample_pndm.hpp>
#include <ul/diffusion/sample_tcd.hpp>
#include <ul/diffusion/sample_unipc.hpp>

#include "gaussian.hpp"

namespace {

// sampler(denoiser, x, grid) -> x. The error of the affine map, from two starting points.
template <class Sampler>
double map_error(const gaussian& data, ul::extent steps, Sampler sampler) {
  const auto grid = ul::uniform_logsnr_grid(-2, 5, steps);
  double worst = 0;
  for (const double x : {-0.4, 1.3}) worst = std::fmax(worst, std::abs(sampler(data, x, grid) - data.flow(x, -2, 5)));
  return worst;
}

template <class Sampler>
double order(const gaussian& data, Sampler sampler) {
  return std::log2(map_error(data, 320, sampler) / map_error(data, 640, sampler));
}

template <class Sampler>
void check_order(const std::string& name, double expected, Sampler sampler) {
  INFO(name);
  for (const gaussian& data : {gaussian{0, 1}, gaussian{0.3, 2}}) {
    CAPTURE(data.scale);
    const double found = order(data, sampler);
    CHECK(found > expected - 0.15);
    CHECK(found < expected + 0.15);
  }
}

}  // namespace

TEST_CASE("deterministic samplers have the order they claim") {
  check_order("ddim", 1, [](auto d, double x, const auto& g) { return ul::sample_ddim(d, x, g); });
  check_order("euler", 1, [](auto d, double x, const auto& g) { return ul::sample_euler(d, x, g); });
  check_order("flow euler", 1, [](auto d, double x, const auto& g) { return ul::sample_flow_euler(d, x, g); });
  check_order("tcd, gamma 0", 1,
              [](auto d, double x, const auto& g) { return ul::sample_tcd(d, x, g, [](ul::extent) { return 0.0; }); });
  check_order("heun", 2, [](auto d, double x, const auto& g) { return ul::sample_heun(d, x, g); });
  check_order("flow heun", 2, [](auto d, double x, const auto& g) { return ul::sample_flow_heun(d, x, g); });
  check_order("2m", 2, [](auto d, double x, const auto& g) { return ul::sample_dpmpp_2m(d, x, g); });
  check_order("2s", 2, [](auto d, double x, const auto& g) { return ul::sample_dpmpp_2s(d, x, g); });
  check_order("2s paired", 2, [](auto d, double x, const auto& g) { return ul::sample_dpmpp_2s_paired(d, x, g); });
  check_order("3m", 3, [](auto d, double x, const auto& g) { return ul::sample_dpmpp_3m(d, x, g); });
  check_order("3m published", 2, [](auto d, double x, const auto& g) {
    return ul::sample_dpmpp_3m(d, x, g, {.form = ul::dpmpp_3m_form::published});
  });
  check_order("unipc", 3, [](auto d, double x, const auto& g) { return ul::sample_unipc(d, x, g); });
  check_order("lms", 2, [](auto d, double x, const auto& g) { return ul::sample_lms(d, x, g); });
  check_order("deis 1", 1, [](auto d, double x, const auto& g) { return ul::sample_deis(d, x, g, {.order = 1}); });
  check_order("deis 2", 2, [](auto d, double x, const auto& g) { return ul::sample_deis(d, x, g); });
  check_order("deis 3", 2, [](auto d, double x, const auto& g) { return ul::sample_deis(d, x, g, {.order = 3}); });
  check_order("pndm", 2, [](auto d, double x, const auto& g) { return ul::sample_pndm(d, x, g); });
}
