// The memory-bound half of a training step, 64 images of 256 x 256 x 3 in float: x_t = alpha x + sigma eps, and the
// weighted error of each sample against a given output, beside copies of as many bytes as each must read and write.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <ul/backend/cpu.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/training_loss.hpp>

namespace {

template <class F>
double seconds(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

void run(int threads) {
  ul::cpu device({.threads = threads});
  const ul::extents shape{64, 256, 256, 3};
  const auto make = [&](std::uint64_t seed) {
    ul::tensor<ul::cpu, float> x(device, shape);
    device.normal(x.data(), x.size(), ul::key(seed), 0);
    return x;
  };
  const auto x = make(1), eps = make(2), output = make(3);
  std::vector<ul::loss_coefficients> at;
  for (int i = 0; i < 64; ++i)
    at.push_back(ul::coefficients_at(ul::cosine_schedule{}, ul::sigmoid_weight{}, ul::v_prediction{}, (i + 0.5) / 64));
  const std::span<const ul::loss_coefficients> batch(at);
  const auto each = [&](auto f) { return ul::coefficients<float>(device, batch, f); };

  // A copy of n floats reads n and writes n; three of them move what both operations move.
  const std::size_t bytes = static_cast<std::size_t>(x.size()) * sizeof(float);
  auto from = make(4), to = make(5);
  std::vector<double> copy_times, noise_times, loss_times;
  for (int round = 0; round < 7; ++round) {
    copy_times.push_back(seconds([&] { device.copy(to.data(), from.data(), static_cast<ul::extent>(bytes)); }));
    noise_times.push_back(seconds([&] { ul::noised(x, eps, batch); }));
    loss_times.push_back(seconds([&] {
      ul::prediction_error(output, x, eps, each([](const auto& c) { return c.target.x; }),
                           each([](const auto& c) { return c.target.eps; }),
                           each([](const auto& c) { return c.weight; }));
    }));
  }
  const double copy = median(copy_times), noised = median(noise_times), loss = median(loss_times);
  std::printf("%d thread%s  copy %6.2f ms  x_t %6.2f ms (%.2f of its bytes' copy)  loss %6.2f ms (%.2f)  both %.2f\n",
              threads, threads == 1 ? " " : "s", 1e3 * copy, 1e3 * noised, noised / (1.5 * copy), 1e3 * loss,
              loss / (1.5 * copy), (noised + loss) / (3 * copy));
}

}  // namespace

int main() {
  for (const int threads : {1, 2}) run(threads);
}
