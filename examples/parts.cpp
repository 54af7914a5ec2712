// Parts of the library in a program that has data of its own, in Eigen and xtensor, and an optimiser of its own: a
// noise schedule, a loss, and a block that learns to denoise points on a circle at one noise level.

#include <Eigen/Core>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <ul/backend/cpu.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/training_loss.hpp>
#include <ul/interop/eigen.hpp>
#include <ul/interop/xtensor.hpp>
#include <ul/nn/mlp.hpp>
#include <ul/op/reduce.hpp>
#include <vector>

#include "command.hpp"

namespace {

constexpr int count = 512;

Eigen::MatrixXf points_on_a_circle() {
  return Eigen::MatrixXf::NullaryExpr(count, 2, [](Eigen::Index row, Eigen::Index column) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(row) / count;
    return static_cast<float>(column == 0 ? std::cos(angle) : std::sin(angle));
  });
}

int run() {
  ul::cpu device;
  const auto x = ul::from_eigen(device, points_on_a_circle());  // (count, 2)

  // A schedule: plain functions of time, here tabulated in an xtensor array.
  const ul::cosine_schedule schedule{.logsnr_max = 10, .logsnr_min = -10};
  xt::xarray<double> table = xt::xarray<double>::from_shape({5, 2});
  for (std::size_t i = 0; i < 5; ++i) {
    const double t = 0.25 * static_cast<double>(i);
    table(i, 0) = t, table(i, 1) = schedule.logsnr(t);
    std::printf("t %.2f  log-SNR %7.3f\n", table(i, 0), table(i, 1));
  }

  // A loss: the variational bound at one time, in nats for each point, of whatever predicts v from the noisy points.
  const auto level = ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, table(1, 0));
  const std::vector<ul::loss_coefficients> levels(count, level);
  const auto loss_of = [&](const ul::var<ul::cpu, float>& points, const auto& network, std::uint64_t draw) {
    const auto eps = ul::normal<float>(device, points.shape(), ul::key(1).fold_in(draw));
    return ul::mean(ul::denoising_loss(points, eps, std::span<const ul::loss_coefficients>(levels), network));
  };

  // The program's own denoiser, in Eigen: the best linear one, for data of variance 1/2.
  const double a = level.alpha, s = level.sigma, shrink = (a - a / (a * a + 2 * s * s)) / s;
  const auto linear = [&](const ul::var<ul::cpu, float>& noisy, const auto&) {
    return ul::from_eigen(device, static_cast<float>(shrink) * ul::as_eigen(noisy.value()));
  };
  // A block in its place, trained by plain momentum on the flat store, as Eigen sees it.
  ul::parameters<ul::cpu, float> store(device);
  const ul::nn::mlp<ul::cpu, float> block(store.root(), {.channels = 2, .hidden = 64});
  store.allocate(ul::key(2));
  const auto learnt = [&](const ul::var<ul::cpu, float>& noisy, const auto&) { return block(noisy); };
  Eigen::VectorXf velocity = Eigen::VectorXf::Zero(store.flat_size());
  for (std::uint64_t step = 0; step < 1000; ++step) {
    store.zero_gradient();
    ul::tape<ul::cpu> tape;
    tape.backward(loss_of(tape.constant(x), learnt, step));
    velocity = 0.9f * velocity - 2e-3f * ul::as_eigen_vector(store.gradient());
    ul::as_eigen_vector(store.master()) += velocity;
  }
  const auto nats = [&](const auto& network) { return ul::to_scalar(loss_of(x, network, 1'000'000).value()); };
  const double own = static_cast<double>(nats(linear)), better = static_cast<double>(nats(learnt));
  std::printf("linear denoiser %.3f nats, the block %.3f\n", own, better);

  // Data from xtensor and back: a noisy point, and what the block makes of it.
  const xt::xarray<float> noisy = {{1.2f, 0.5f}};
  const auto v = block(ul::from_xtensor(device, noisy)).value();
  const xt::xarray<float> clean = static_cast<float>(a) * noisy - static_cast<float>(s) * ul::as_xtensor(v);
  const double radius = std::hypot(static_cast<double>(clean(0, 0)), static_cast<double>(clean(0, 1)));
  std::printf("a noisy point comes back to radius %.3f\n", radius);
  return better < own && std::fabs(radius - 1) < 0.1 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Uses a schedule, a loss and a block of the library alone, with data from Eigen and xtensor.");
  return run_command(app, argc, argv, run);
}
