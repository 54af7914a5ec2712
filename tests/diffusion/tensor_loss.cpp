// The denoising loss over tensors: against its parts, against the scalar formulas, and its gradients.

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/training_loss.hpp>
#include <ul/grad/check.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/squared_error.hpp>

namespace {

const ul::extents shape{3, 5, 7};

template <class T, class Device>
ul::tensor<Device, T> noise(Device& device, std::uint64_t seed) {
  std::vector<T> values;
  for (std::uint64_t i = 0; i < 105; ++i) values.push_back(static_cast<T>(ul::normal_at<double>(ul::key(seed), i)));
  return ul::from_host<T>(device, shape, values);
}

template <class P>
std::vector<ul::loss_coefficients> batch_coefficients(const P& p) {
  std::vector<ul::loss_coefficients> at;
  for (const double t : {0.1, 0.5, 0.8})
    at.push_back(ul::coefficients_at(ul::cosine_schedule{}, ul::sigmoid_weight{.bias = 1}, p, t));
  return at;
}

template <class T, class Device>
void check_against_parts(Device& device, double tolerance) {
  const auto output = noise<T>(device, 1), x = noise<T>(device, 2), eps = noise<T>(device, 3);
  const std::vector<T> a{0.3f, -1, 2}, b{1.5f, 0.2f, 0}, w{1, 0.1f, 3};
  const auto on_x = ul::from_host<T>(device, {3}, a), on_eps = ul::from_host<T>(device, {3}, b);
  const auto weights = ul::from_host<T>(device, {3}, w);
  const auto fused = ul::to_host(ul::prediction_error(output, x, eps, on_x, on_eps, weights));
  const auto parts = ul::to_host(ul::squared_error(output, ul::combine(on_x, x, on_eps, eps), weights));
  for (std::size_t i = 0; i < 3; ++i) CHECK(double(fused[i]) == doctest::Approx(double(parts[i])).epsilon(tolerance));
}

}  // namespace

TEST_CASE("the fused prediction error equals its parts") {
  ul::reference plain;
  ul::cpu device;
  check_against_parts<double>(plain, 1e-14);
  check_against_parts<double>(device, 1e-13);
  check_against_parts<float>(device, 1e-5);
}

TEST_CASE("gradients of the prediction error and of the denoising loss") {
  ul::reference device;
  const auto output = noise<double>(device, 1), x = noise<double>(device, 2), eps = noise<double>(device, 3);
  const auto numbers = [&](std::vector<double> v) { return ul::from_host<double>(device, {3}, v); };
  const auto on_x = numbers({0.3, -1, 2}), on_eps = numbers({1.5, 0.2, 0}), weights = numbers({1, 0.1, 3});
  CHECK(ul::check_gradient(
            [&](const auto& o, const auto& c) { return ul::prediction_error(o, c, eps, on_x, on_eps, weights); },
            output, x) < 1e-6);

  // Through the network's input and through the target at once.
  const auto at = batch_coefficients(ul::v_prediction{});
  CHECK(ul::check_gradient(
            [&](const auto& c) {
              return ul::denoising_loss(c, eps, std::span<const ul::loss_coefficients>(at),
                                        [](const auto& x_t, const auto&) { return ul::affine(x_t, {.scale = 0.4}); });
            },
            x) < 1e-5);
}

TEST_CASE("the tensor loss is the scalar formula, and one number for every prediction") {
  ul::reference device;
  const auto x = noise<double>(device, 2), eps = noise<double>(device, 3);
  const std::vector<double> clean = ul::to_host(x), noises = ul::to_host(eps);
  const auto at_x = batch_coefficients(ul::x_prediction{});
  // A network that knows that x^ is half the state: sum over the sample of weight (x - x_t / 2)^2.
  std::vector<double> expected(3, 0.0);
  for (std::size_t i = 0; i < 105; ++i) {
    const auto& c = at_x[i / 35];
    const double error = clean[i] - 0.5 * (c.alpha * clean[i] + c.sigma * noises[i]);
    expected[i / 35] += c.weight * error * error;
  }
  const auto check_prediction = [&](const auto& p) {
    const auto at = batch_coefficients(p);
    const auto network = [&](const auto& input, const auto&) {
      // F^ of x^ = x_t / 2, from the scaled input, sample by sample.
      std::vector<double> factor;
      for (const auto& c : at) {
        const double eps_share = (1 - c.alpha * 0.5) / c.sigma;
        factor.push_back((c.target.x * 0.5 + c.target.eps * eps_share) / c.input);
      }
      const auto f = ul::from_host<double>(device, {3}, factor), none = ul::zeros<double>(device, {3});
      return ul::combine(f, input, none, eps);
    };
    const auto loss = ul::to_host(
        ul::denoising_loss(ul::var<ul::reference, double>(x), eps, std::span<const ul::loss_coefficients>(at), network)
            .value());
    for (std::size_t i = 0; i < 3; ++i) CHECK(loss[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  };
  check_prediction(ul::x_prediction{});
  check_prediction(ul::eps_prediction{});
  check_prediction(ul::v_prediction{});
  check_prediction(ul::flow_prediction{});
  check_prediction(ul::score_prediction{});
  check_prediction(ul::edm_prediction{});
}

TEST_CASE("mismatched batches are refused") {
  ul::reference device;
  const auto x = noise<double>(device, 2), flat = x.reshape({3, 35});
  const auto w = ul::zeros<double>(device, {3}), few = ul::zeros<double>(device, {2});
  CHECK_THROWS_WITH(ul::prediction_error(x, flat, x, w, w, w), "prediction_error: x is (3, 35), output is (3, 5, 7)");
  CHECK_THROWS_WITH(ul::prediction_error(x, x, flat, w, w, w), "prediction_error: eps is (3, 35), output is (3, 5, 7)");
  CHECK_THROWS_WITH(ul::prediction_error(x, x, x, w, few, w), "prediction_error: coefficients are (2), expected (3)");
  const auto at = batch_coefficients(ul::v_prediction{});
  const auto network = [](const auto& x_t, const auto&) { return x_t; };
  CHECK_THROWS_WITH(ul::denoising_loss(ul::var<ul::reference, double>(x), x,
                                       std::span<const ul::loss_coefficients>(at).first(2), network),
                    "denoising_loss: coefficients of 2 samples for a batch of 3");
}
