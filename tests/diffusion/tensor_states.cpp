// Samplers, guidance and solvers over tensors: each sample of a batch as the same state alone, in double.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>
#include <ul/diffusion/guidance.hpp>
#include <ul/diffusion/image_to_image.hpp>
#include <ul/diffusion/sample_ancestral.hpp>
#include <ul/diffusion/sample_deis.hpp>
#include <ul/diffusion/sample_dpmpp_3m.hpp>
#include <ul/diffusion/sample_heun.hpp>
#include <ul/diffusion/sample_pndm.hpp>
#include <ul/diffusion/sample_repaint.hpp>
#include <ul/diffusion/sample_unipc.hpp>
#include <ul/diffusion/tensor_geometry.hpp>
#include <ul/diffusion/tensor_state.hpp>
#include <ul/diffusion/thresholding.hpp>

#include "gaussian.hpp"

namespace {

using many = std::vector<double>;

const many first{0.3, -1.2, 0.7}, second{1.1, 0.2, -0.4};
const auto grid = ul::uniform_logsnr_grid(-5, 4, 6);

// f over states, run on two vectors and on a batch of both.
template <class Device, class F>
void check_batch(Device& device, F f) {
  many both = first;
  both.insert(both.end(), second.begin(), second.end());
  const auto batch = ul::to_host(f(ul::from_host<double>(device, {2, 3}, both)));
  const many a = f(first), b = f(second);
  REQUIRE(batch.size() == 6);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(batch[i] == doctest::Approx(a[i]).epsilon(1e-12));
    CHECK(batch[3 + i] == doctest::Approx(b[i]).epsilon(1e-12));
  }
}

// A linear denoiser of any state.
const auto denoiser = [](const auto& x, double logsnr) {
  const gaussian data{0, 0.7};
  return ul::combine(data(1, logsnr), x);
};
// A denoiser that differs from it by more than a factor, sample by sample.
const auto other = [](const auto& x, double logsnr) {
  return ul::clamped(ul::combine(0.9 * ul::alpha(logsnr), x), -0.35, 0.5);
};

template <class Device>
void check_all(Device& device) {
  check_batch(device, [](const auto& x) { return ul::sample_heun(denoiser, x, grid); });
  check_batch(device, [](const auto& x) { return ul::sample_dpmpp_3m(denoiser, x, grid); });
  check_batch(device, [](const auto& x) { return ul::sample_unipc(denoiser, x, grid.then(ul::logsnr_of_clean)); });
  check_batch(device, [](const auto& x) { return ul::sample_deis(denoiser, x, grid, {.order = 3}); });
  check_batch(device, [](const auto& x) { return ul::sample_pndm(denoiser, x, grid); });
  check_batch(device, [](const auto& x) {
    return ul::sample_ancestral(denoiser, x, grid, [&x](ul::extent i) { return ul::combine(std::sin(double(i)), x); });
  });
  check_batch(device, [](const auto& x) {
    return ul::sample_heun(ul::guided(denoiser, other, {.scale = 3, .rescale = 0.7}), x, grid);
  });
  check_batch(device, [](const auto& x) {
    return ul::sample_heun(
        ul::guided_projected(denoiser, other, {.guidance = {.scale = 3}, .parallel = 0.2, .length = 0.3}), x, grid);
  });
  check_batch(device, [](const auto& x) {
    return ul::sample_heun(ul::guided_cfg_zero(denoiser, other, {.scale = 2}), x, grid);
  });
  check_batch(device,
              [](const auto& x) { return ul::sample_heun(ul::dynamically_thresholded(denoiser, 0.6, 0.2), x, grid); });
  check_batch(device, [](const auto& x) { return ul::clipped(denoiser, -0.2, 0.3)(x, 1).eps; });
  check_batch(device, [](const auto& x) {
    const auto mask = ul::clamped(ul::combine(1e9, x), 0, 1);
    const auto noise = [&x](ul::extent i) { return ul::combine(std::cos(double(i)), x); };
    return ul::sample_repaint(denoiser, x, mask, ul::combine(0.5, x), grid, noise, {.resamples = 3});
  });
  // An adaptive solver chooses its steps for the whole batch, so each sample agrees to the tolerance.
  const auto spread = [](const auto& x) {
    return ul::solve_dormand_prince([](const auto& y, double t) { return ul::combine(-t, y); }, x, 0, 2,
                                    {.relative = 1e-10, .absolute = 1e-12});
  };
  const auto solved = ul::to_host(spread(ul::from_host<double>(device, {1, 3}, first)));
  for (std::size_t i = 0; i < 3; ++i) CHECK(solved[i] == doctest::Approx(first[i] * std::exp(-2.0)).epsilon(1e-8));
}

}  // namespace

TEST_CASE("tensors are states: reference") {
  ul::reference device;
  check_all(device);
}

TEST_CASE("tensors are states: cpu") {
  ul::cpu device;
  check_all(device);
}

TEST_CASE("tensor states of different extents are refused") {
  ul::reference device;
  const auto x = ul::from_host<double>(device, {1, 3}, first), y = ul::from_host<double>(device, {3, 1}, first);
  CHECK_THROWS_WITH(ul::combine(1, x, 1, y), "combine: states are (1, 3) and (3, 1)");
  CHECK_THROWS_WITH(ul::projected(x, y), "projected: states are (1, 3) and (3, 1)");
  CHECK_THROWS_WITH(ul::blended(x, x, y), "blended: states are (1, 3) and (3, 1)");
  CHECK_THROWS_WITH(ul::with_deviation_of(x, y), "with_deviation_of: states are (1, 3) and (3, 1)");
}
