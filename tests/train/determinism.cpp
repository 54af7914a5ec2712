#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <ul/backend/cpu.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/conv.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/group_norm.hpp>
#include <ul/op/linear.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/accumulate.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/rate.hpp>

#include "support.hpp"

using ul::extent;

namespace {

// Where threads meet: nobody leaves before all expected ones came, or long enough has passed.
class meeting {
 public:
  explicit meeting(std::size_t expected) : expected_(expected) {}

  void come() {
    std::unique_lock lock(mutex_);
    seen_.insert(std::this_thread::get_id());
    if (seen_.size() >= expected_) all_here_.notify_all();
    all_here_.wait_for(lock, std::chrono::seconds(20), [&] { return seen_.size() >= expected_; });
  }
  std::size_t seen() const { return seen_.size(); }

 private:
  std::size_t expected_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::set<std::thread::id> seen_;
};
struct come_to {
  meeting* place;
  void operator()(extent) const { place->come(); }
};

// The number of distinct threads that run a device's chunks.
std::size_t threads_of(ul::cpu& device, extent expected) {
  meeting place(static_cast<std::size_t>(expected));
  device.for_each(expected, extent{1} << 30, come_to{&place});
  return place.seen();
}

using parameters = ul::parameters<ul::cpu, float>;
using param = ul::param<ul::cpu, float>;
using var = ul::var<ul::cpu, float>;
using scope = ul::scope<ul::cpu, float>;

struct mlp {
  static constexpr extent inputs = 100;
  static ul::extents input_shape() { return {67, inputs}; }

  param w1, b1, w2, b2;
  explicit mlp(const scope& s)
      : w1(s.declare("w1", {inputs, 250}, ul::fan_in_init(inputs))),
        b1(s.declare("b1", {250}, ul::zeros_init)),
        w2(s.declare("w2", {250, inputs}, ul::fan_in_init(250))),
        b2(s.declare("b2", {inputs}, ul::zeros_init)) {}

  var operator()(const var& x) const { return ul::linear(ul::silu(ul::linear(x, w1, b1)), w2, b2); }
};

struct conv_net {
  static ul::extents input_shape() { return {5, 16, 15, 16}; }

  param w1, b1, gain, shift, w2;
  explicit conv_net(const scope& s)
      : w1(s.declare("w1", {3, 3, 16, 16}, ul::fan_in_init(144))),
        b1(s.declare("b1", {16}, ul::zeros_init)),
        gain(s.declare("gain", {16}, ul::ones_init)),
        shift(s.declare("shift", {16}, ul::zeros_init)),
        w2(s.declare("w2", {3, 3, 16, 16}, ul::fan_in_init(144))) {}

  var operator()(const var& x) const {
    const var h = ul::group_norm(ul::conv(x, w1, b1), gain, shift, {.groups = 4, .act = ul::activation::silu});
    return ul::conv(h, w2);
  }
};

struct trained {
  std::vector<float> weights, average;
  double first_loss = 0, loss = 0, norm = 0;
};

// Twenty steps on noise, the network learning to return it.
template <class Net>
trained train(ul::cpu& device) {
  parameters p(device);
  const Net net(p.root());
  p.allocate(ul::key(11));
  ul::adam optimiser(p, {.decay = 0.01});
  ul::ema average(p, ul::warm_up_average{});
  const ul::cosine_rate rate{.peak = 1e-2, .warm_up = 5, .steps = 20};
  trained result;
  for (extent step = 0; step < 20; ++step) {
    const auto x = ul::normal<float>(device, Net::input_shape(), ul::key(12).fold_in(static_cast<std::uint64_t>(step)));
    result.loss = ul::accumulate(p, 1, [&](ul::tape<ul::cpu>& t, extent) {
      const var input = t.constant(x);
      return ul::mean(ul::square(ul::sub(net(input), input)));
    });
    if (step == 0) result.first_loss = result.loss;
    result.norm = ul::gradient_norm(p);
    optimiser.step({.rate = rate(step), .gradient_scale = ul::clip_scale(result.norm, 0.5)}, average);
  }
  result.weights = ul::to_host(p.master());
  result.average = ul::to_host(average.average());
  return result;
}

template <class Net>
void compare_threads() {
  ul::cpu one({.threads = 1, .executor = ul::executor_kind::jthread});
  const trained expected = train<Net>(one);
  CHECK(expected.loss < 0.9 * expected.first_loss);
  struct setting {
    ul::executor_kind executor;
    extent threads;
  };
  std::vector<setting> settings = {{ul::executor_kind::jthread, 1},
                                   {ul::executor_kind::jthread, 2},
                                   {ul::executor_kind::jthread, 3},
                                   {ul::executor_kind::jthread, 8}};
#if !defined(__SANITIZE_THREAD__)                        // which does not see how oneTBB's threads wait for each other
  if (ul::default_executor == ul::executor_kind::tbb) {  // never runs more threads than there are cores
    settings.push_back({ul::executor_kind::tbb, 1});
    if (ul::available_cores() >= 2) settings.push_back({ul::executor_kind::tbb, 2});
  }
#endif
  for (const setting& s : settings) {
    CAPTURE(s.threads);
    CAPTURE(std::string(s.executor == ul::executor_kind::tbb ? "oneTBB" : "jthread"));
    ul::cpu device({.threads = s.threads, .executor = s.executor});
    CHECK(threads_of(device, s.threads) == static_cast<std::size_t>(s.threads));
    const trained found = train<Net>(device);
    CHECK(test::same_bits(found.weights, expected.weights));
    CHECK(test::same_bits(found.average, expected.average));
    CHECK(found.loss == expected.loss);
    CHECK(found.norm == expected.norm);
  }
}

}  // namespace

TEST_CASE("a small network has the same weights after 20 steps on any number of threads") { compare_threads<mlp>(); }

TEST_CASE("a small convolutional network has them too") { compare_threads<conv_net>(); }

TEST_CASE("four quarters of a batch give the gradient of the whole, in single precision") {
  ul::cpu device({.threads = 2, .executor = ul::executor_kind::jthread});
  parameters p(device);
  const mlp net(p.root());
  p.allocate(ul::key(3));
  const auto x = ul::normal<float>(device, {16, mlp::inputs}, ul::key(4));
  const auto gradient_of = [&](extent parts) {
    ul::accumulate(p, parts, [&](ul::tape<ul::cpu>& t, extent part) {
      return ul::mean(ul::square(net(t.constant(x.rows(part * 16 / parts, 16 / parts)))));
    });
    return ul::to_host(p.gradient());
  };
  const auto whole = gradient_of(1);
  const double norm = ul::gradient_norm(p);
  const auto parts = gradient_of(4);
  double difference = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    difference += std::pow(static_cast<double>(whole[i]) - static_cast<double>(parts[i]), 2);
  CHECK(norm > 0.01);
  CHECK(std::sqrt(difference) <= 1e-6 * norm);
}

TEST_CASE("the norm of a long gradient on the CPU") {
  ul::cpu device({.threads = 2, .executor = ul::executor_kind::jthread});
  std::vector<float> values(100003);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i));
    sum += std::pow(static_cast<double>(values[i]), 2);
  }
  CHECK(ul::norm(ul::from_host<float>(device, {100003}, values)) == doctest::Approx(std::sqrt(sum)).epsilon(1e-7));
  values[77777] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(ul::norm(ul::from_host<float>(device, {100003}, values))));
  values[77777] = 3e38f;
  CHECK(ul::norm(ul::from_host<float>(device, {100003}, values)) == doctest::Approx(3e38).epsilon(1e-6));
}
