// Training gives the same bits on any number of threads.

#include <cstring>

#include <ul/nn/u_net.hpp>
#include <ul/nn/vit.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/adam.hpp>

#include "../threads.hpp"
#include "support.hpp"

namespace ul::test {
namespace {

nn::u_net_options small_u_net() {
  return {.in = 1,
          .channels = {8, 16},
          .blocks = 1,
          .attention = {1},
          .heads = 2,
          .noise = {.features = 32, .sinusoids = {.features = 16}},
          .block = {.groups = 4}};
}

nn::vit_options small_vit() {
  return {.grid = {10, 8},
          .in = 1,
          .patch = 2,
          .noise = {.features = 32, .sinusoids = {.features = 16}},
          .stack = {.block = {.channels = 32, .heads = 2}, .depth = 2, .positions = nn::position::learned}};
}

struct trained {
  std::vector<float> weights;
  double first_loss = 0, last_loss = 0;
};

// Twenty steps in which the network learns to return its noisy input's expectation, zero.
template <template <class, class> class Network, class Options>
trained train(cpu& device, const Options& o, const extents& shape) {
  parameters<cpu, float> p(device);
  const Network<cpu, float> f(p.root(), o);
  p.allocate(key(1));
  adam optimiser(p);
  trained result;
  for (std::uint64_t step = 0; step < 20; ++step) {
    const auto x = normal<float>(device, shape, key(2).fold_in(step));
    const auto level = normal<float>(device, {shape[0]}, key(3).fold_in(step));
    p.zero_gradient();
    tape<cpu> t;
    const auto loss = mean(square(f(t.constant(x), {.noise = level})));
    t.backward(loss);
    optimiser.step({.rate = 3e-3});
    result.last_loss = static_cast<double>(to_scalar(loss.value()));
    if (step == 0) result.first_loss = result.last_loss;
  }
  result.weights = to_host(p.value());
  return result;
}

template <template <class, class> class Network, class Options>
void compare_threads(const Options& o, const extents& shape) {
  cpu one({.threads = 1});
  const trained expected = train<Network>(one, o, shape);
  CHECK(expected.last_loss < 0.9 * expected.first_loss);
  for (const cpu_options& s : thread_settings()) {
    CAPTURE(name_of(s));
    cpu device(s);
    CHECK(threads_of(device, s.threads) == s.threads);
    const trained found = train<Network>(device, o, shape);
    CHECK(std::memcmp(found.weights.data(), expected.weights.data(), expected.weights.size() * sizeof(float)) == 0);
    CHECK(found.last_loss == expected.last_loss);
  }
}

// One const network, a batch at once and each sample by itself, by several threads at the same time.
template <template <class, class> class Network, class Options>
void compare_batches(const Options& o) {
  cpu device({.threads = 2});
  parameters<cpu, float> p(device);
  const Network<cpu, float> f(p.root(), o);
  p.allocate(key(1));
  const auto x = normal<float>(device, {6, 10, 8, 1}, key(2)), level = normal<float>(device, {6}, key(3));
  const auto together = to_host(f(x, {.noise = level}).value());
  const extent each = 10 * 8;
  std::vector<std::vector<float>> alone(6);
  {
    std::vector<std::jthread> users;
    for (extent i = 0; i < 6; ++i)
      users.emplace_back([&, i] {
        alone[static_cast<std::size_t>(i)] = to_host(f(x.rows(i, 1), {.noise = level.rows(i, 1)}).value());
      });
  }
  for (extent i = 0; i < 6; ++i) {
    CAPTURE(i);
    const auto& sample = alone[static_cast<std::size_t>(i)];
    REQUIRE(static_cast<extent>(sample.size()) == each);
    CHECK(std::memcmp(sample.data(), together.data() + i * each, sizeof(float) * sample.size()) == 0);
  }
}

}  // namespace

TEST_CASE("a small U-Net has the same weights after 20 steps on any number of threads") {
  compare_threads<nn::u_net>(small_u_net(), {5, 10, 8, 1});
}

TEST_CASE("a small ViT has the same weights after 20 steps on any number of threads") {
  compare_threads<nn::vit>(small_vit(), {5, 10, 8, 1});
}

TEST_CASE("what a network makes of a sample does not depend on the batch, nor on who else uses it") {
  compare_batches<nn::u_net>(small_u_net());
  compare_batches<nn::vit>(small_vit());
}

}  // namespace ul::test
