#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <ul/op/functions.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/accumulate.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/guard.hpp>

#include "support.hpp"

using doctest::Approx;
using ul::extent;

namespace {

// One parameter vector whose gradient is written by hand.
template <class T>
struct bare {
  ul::reference device;
  ul::parameters<ul::reference, T> parameters{device};
  ul::param<ul::reference, T> weight;

  explicit bare(const std::vector<ul::master_t<T>>& values)
      : weight(parameters.root().declare("weight", {static_cast<extent>(values.size())}, ul::zeros_init)) {
    parameters.allocate(ul::key(1));
    std::vector<ul::master_t<T>> all(static_cast<std::size_t>(parameters.flat_size()));
    std::copy(values.begin(), values.end(), all.begin());
    ul::assign(parameters, ul::from_host<ul::master_t<T>>(device, {parameters.flat_size()}, all));
  }
  void set_gradient(const std::vector<ul::master_t<T>>& values) {
    parameters.zero_gradient();
    test::put(parameters.gradient(), values);
  }
  std::vector<ul::master_t<T>> values() const { return ul::to_host(parameters.master().part(0, weight.shape())); }
};

}  // namespace

// PyTorch, test/cpp/api/optim_baseline.h, ProducesPyTorchValues_AdamWithWeightDecay; weights there are (out, in).
TEST_CASE("Adam with coupled decay reaches PyTorch's fixed point") {
  ul::reference device;
  ul::parameters<ul::reference, double> p(device);
  const test::network<ul::reference, double> net(p.root(), 2, 3, 1);
  p.allocate(ul::key(0));
  test::put(net.w1.value(), {-0.2109, -0.1413, -0.2524, -0.4976, -0.342, 0.6976});
  test::put(net.b1.value(), {-0.1085, -0.2979, 0.6892});
  test::put(net.w2.value(), {-0.0508, -0.3941, -0.2843});
  test::put(net.b2.value(), {-0.0711});
  const auto x = ul::from_host<double>(device, {3, 2}, std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6});

  ul::adam optimiser(p, {.decay = 0.01, .kind = ul::weight_decay::coupled});
  const auto train_to = [&](extent steps) {
    while (optimiser.steps() < steps) {
      test::sum_gradient(p, net, x);
      optimiser.step({.rate = 1});
    }
  };
  const auto compare = [](const std::vector<double>& found, const std::vector<double>& expected, double rel,
                          double abs) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(std::abs(found[i] - expected[i]) <= abs + rel * std::abs(expected[i]));
  };
  train_to(101);
  compare(test::host(net.w1),
          {0.1783589728828845, 0.19682011079203035, 0.17806013441679713, 0.25421417357795134, 0.2352275872329244,
           0.22943640290803413},
          1e-3, 5e-4);
  compare(test::host(net.b1), {0.6227661366261539, 0.6058596073202991, 0.607717700489737}, 1e-3, 5e-4);
  compare(test::host(net.w2), {-1.4259754714918282, -1.433334796707656, -1.4085456423279246}, 1e-3, 5e-4);
  compare(test::host(net.b2), {-2.0710783910024624}, 1e-3, 5e-4);
  train_to(1001);
  compare(test::host(net.w1),
          {0.1796366609840689, 0.1796366609840702, 0.17963666098407016, 0.2425088244224408, 0.2425088244224409,
           0.2425088244224408},
          0, 1e-9);
  compare(test::host(net.b1), {0.6287216343837064, 0.6287216343837068, 0.6287216343837067}, 0, 1e-9);
  compare(test::host(net.w2), {-1.4123467490671706, -1.412346749067171, -1.4123467490671706}, 0, 1e-9);
  compare(test::host(net.b2), {-2.0633690434349052}, 0, 1e-9);
}

TEST_CASE("Adam's first steps follow the published recursion") {
  bare<double> b({1, -2, 3});
  ul::adam optimiser(b.parameters, {.beta1 = 0.8, .beta2 = 0.9, .eps = 1e-4, .decay = 0.1});
  double m = 0, v = 0, w = -2;
  for (int step = 1; step <= 3; ++step) {
    const double g = 0.5 * step;  // after the scale of 0.5
    b.set_gradient({0, 1. * step, 0});
    optimiser.step({.rate = 0.01, .gradient_scale = 0.5});
    m = 0.8 * m + 0.2 * g;
    v = 0.9 * v + 0.1 * g * g;
    w -= 0.01 * (m / (1 - std::pow(0.8, step)) / (std::sqrt(v / (1 - std::pow(0.9, step))) + 1e-4) + 0.1 * w);
    CHECK(b.values()[1] == Approx(w).epsilon(1e-14));
  }
  CHECK(b.values()[0] == Approx(std::pow(1 - 0.01 * 0.1, 3)).epsilon(1e-14));  // no gradient: only the decay
  CHECK(optimiser.steps() == 3);
}

TEST_CASE("the gaps of the flat store stay zero") {
  bare<float> b({1, 2, 3});
  REQUIRE(b.parameters.flat_size() == 16);
  ul::adam optimiser(b.parameters, {.decay = 0.1});
  b.set_gradient({1, 1, 1});
  optimiser.step({.rate = 0.1});
  const auto all = ul::to_host(b.parameters.master());
  for (std::size_t i = 3; i < all.size(); ++i) CHECK(all[i] == 0);
}

TEST_CASE("one pass takes the averaged weights along") {
  bare<double> b({1, -2, 3});
  ul::adam optimiser(b.parameters);
  ul::ema fused(b.parameters, ul::constant_average{0.9}), apart(b.parameters, ul::constant_average{0.9});
  for (int step = 0; step < 4; ++step) {
    b.set_gradient({1, 2, -3});
    optimiser.step({.rate = 0.1}, fused);
    apart.update(b.parameters);
  }
  const auto x = ul::to_host(fused.average()), y = ul::to_host(apart.average());
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(x[i] == Approx(y[i]).epsilon(1e-15));
    CHECK(x[i] != b.values()[i]);
  }
  CHECK(fused.updates() == 4);
}

TEST_CASE("a bf16 model is updated through its float masters") {
  bare<ul::bf16> b({1, 1});
  ul::adam optimiser(b.parameters);
  for (int step = 0; step < 40; ++step) {  // each far below bf16's spacing of 1/128
    b.set_gradient({1, -1});
    optimiser.step({.rate = 1e-3});
  }
  const auto shadow = ul::to_host(b.weight.value());
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(b.values()[i] == Approx(i == 0 ? 0.96 : 1.04).epsilon(1e-5));
    CHECK(shadow[i] == ul::bf16(b.values()[i]));
  }
}

// PyTorch, test/cpp/api/optim.cpp, ExternalVectorOfParameters.
TEST_CASE("a unit step of gradient descent") {
  bare<double> b({0.25, -1.5, 7});
  b.set_gradient({1, 1, 1});
  ul::descend(b.parameters, {.rate = 1});
  CHECK(b.values() == std::vector<double>{-0.75, -2.5, 6});
  b.set_gradient({2, 2, 2});
  ul::descend(b.parameters, {.rate = 1, .gradient_scale = 0.5});
  CHECK(b.values() == std::vector<double>{-1.75, -3.5, 5});

  bare<ul::bf16> half({1, 2});
  half.set_gradient({1, 1});
  ul::descend(half.parameters, {.rate = 0.5});
  CHECK(ul::to_host(half.weight.value())[1] == ul::bf16(1.5f));
}

TEST_CASE("an optimiser goes on from a stored state with the same bits") {
  const auto train = [](bare<float>& b, ul::adam<ul::reference, float>& o, ul::ema<ul::reference, float>& e, int from,
                        int to) {
    for (int i = from; i < to; ++i) {
      b.set_gradient({0.3f * static_cast<float>(i), -1, 2});
      o.step({.rate = 0.01}, e);
    }
  };
  bare<float> whole({1, 2, 3}), before({1, 2, 3}), after({9, 9, 9});
  ul::adam o1(whole.parameters), o2(before.parameters), o3(after.parameters);
  ul::ema e1(whole.parameters, ul::warm_up_average{}), e2(before.parameters, ul::warm_up_average{}),
      e3(after.parameters, ul::warm_up_average{});
  train(whole, o1, e1, 0, 10);
  train(before, o2, e2, 0, 4);

  ul::assign(after.parameters, before.parameters.master());
  for (std::size_t i = 0; i < 2; ++i) test::put(o3.state()[i].values, ul::to_host(o2.state()[i].values));
  test::put(e3.state()[0].values, ul::to_host(e2.state()[0].values));
  o3.resume(o2.steps());
  e3.resume(e2.updates());
  train(after, o3, e3, 4, 10);

  CHECK(test::same_bits(whole.values(), after.values()));
  CHECK(test::same_bits(ul::to_host(e1.average()), ul::to_host(e3.average())));
  CHECK(std::string(o1.state()[0].name) == "adam/first");
  CHECK(std::string(e1.state()[0].name) == "ema/average");
}

TEST_CASE("the norm of a gradient, and its clipping") {
  bare<double> b({0, 0, 0, 0});
  b.set_gradient({1, -2, 2, 4});
  CHECK(ul::gradient_norm(b.parameters) == Approx(5).epsilon(1e-15));
  CHECK(ul::clip_scale(5, 1) == Approx(0.2).epsilon(1e-15));
  CHECK(ul::clip_scale(0.5, 1) == 1);
  CHECK(ul::clip_scale(0, 1) == 1);

  bare<float> f({0, 0});
  f.set_gradient({3e30f, 4e30f});  // finite, though its squares are not
  CHECK(ul::gradient_norm(f.parameters) == Approx(5e30).epsilon(1e-6));
  const float big = (std::numeric_limits<float>::max)();
  f.set_gradient({big, big});
  CHECK(ul::gradient_norm(f.parameters) == Approx(std::sqrt(2.) * static_cast<double>(big)).epsilon(1e-6));
  f.set_gradient({1, std::numeric_limits<float>::infinity()});
  CHECK(!std::isfinite(ul::gradient_norm(f.parameters)));
  f.set_gradient({1, std::numeric_limits<float>::quiet_NaN()});
  CHECK(!std::isfinite(ul::gradient_norm(f.parameters)));
}

TEST_CASE("a step that is not finite changes nothing, and a run of them stops") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  bare<float> b({1, 2, 3});
  ul::adam optimiser(b.parameters);
  ul::ema average(b.parameters, ul::constant_average{0.5});
  ul::finite_guard guard(3);
  const auto step = [&](double loss, float g) {
    b.set_gradient({g, 1, 1});
    const double norm = ul::gradient_norm(b.parameters);
    const bool taken = guard.admits(loss, norm);
    if (taken) optimiser.step({.rate = 0.1, .gradient_scale = ul::clip_scale(norm, 1)}, average);
    return taken;
  };
  CHECK(step(1, 1));
  const auto weights = ul::to_host(b.parameters.master()), mean = ul::to_host(average.average());
  const auto first = ul::to_host(optimiser.state()[0].values), second = ul::to_host(optimiser.state()[1].values);
  CHECK(!step(nan, 1));
  CHECK(!step(1, std::numeric_limits<float>::infinity()));
  CHECK(test::same_bits(weights, ul::to_host(b.parameters.master())));
  CHECK(test::same_bits(mean, ul::to_host(average.average())));
  CHECK(test::same_bits(first, ul::to_host(optimiser.state()[0].values)));
  CHECK(test::same_bits(second, ul::to_host(optimiser.state()[1].values)));
  CHECK(optimiser.steps() == 1);
  CHECK(average.updates() == 1);
  CHECK(guard.skipped() == 2);
  CHECK(step(1, 1));  // ends the run
  CHECK(guard.in_row() == 0);
  CHECK(!step(inf, 1));
  CHECK(!step(nan, 1));
  CHECK_THROWS_WITH(step(-inf, 1),
                    "training: 3 steps in a row are not finite, the last with loss -inf and gradient norm "
                    "1.7320508075688772");
}

TEST_CASE("four quarters of a batch give the gradient of the whole") {
  ul::reference device;
  ul::parameters<ul::reference, float> p(device);
  const test::network<ul::reference, float> net(p.root(), 7, 9, 5);
  p.allocate(ul::key(3));
  const auto x = ul::normal<float>(device, {16, 7}, ul::key(4));
  const auto loss_of_parts = [&](extent parts) {
    return ul::accumulate(p, parts, [&](ul::tape<ul::reference>& t, extent part) {
      return ul::mean(ul::square(net(t.constant(x.rows(part * 16 / parts, 16 / parts)))));
    });
  };
  const double whole_loss = loss_of_parts(1);
  const auto whole = ul::to_host(p.gradient());
  const double norm = ul::gradient_norm(p);
  REQUIRE(norm > 1e-3);
  CHECK(loss_of_parts(4) == Approx(whole_loss).epsilon(1e-6));
  const auto parts = ul::to_host(p.gradient());
  double difference = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) difference += std::pow(double(whole[i]) - double(parts[i]), 2);
  CHECK(std::sqrt(difference) <= 1e-6 * norm);
  CHECK_THROWS_WITH(loss_of_parts(0), "accumulate: 0 parts, expected at least 1");
}

TEST_CASE("misuse of the optimisers is told apart") {
  ul::reference device;
  ul::parameters<ul::reference, float> p(device);
  p.root().declare("weight", {3}, ul::zeros_init);
  CHECK_THROWS_WITH(ul::adam{p}, "parameters: used before allocate()");
  p.allocate(ul::key(0));
  CHECK_THROWS_WITH(ul::adam(p, {.beta2 = 1}), "adam: beta1 is 0.9, beta2 is 1, expected in [0, 1)");
  CHECK_THROWS_WITH(ul::adam(p, {.eps = 0}), "adam: eps is 0, expected above 0");
  CHECK_THROWS_WITH(ul::adam(p, {.decay = -1}), "adam: decay is -1, expected at least 0");
  ul::adam optimiser(p);
  const char* none = ": the parameters keep no gradient, call zero_gradient() before the backward pass";
  CHECK_THROWS_WITH(optimiser.step({}), (std::string("adam") + none).c_str());
  CHECK_THROWS_WITH(ul::descend(p, {}), (std::string("descend") + none).c_str());
  CHECK_THROWS_WITH(ul::gradient_norm(p), (std::string("gradient_norm") + none).c_str());
  p.zero_gradient();
  CHECK_THROWS_WITH(optimiser.step({.rate = -1}), "adam: rate is -1, expected a finite number >= 0");
  CHECK_THROWS_WITH(optimiser.step({.gradient_scale = std::nan("")}),
                    "adam: gradient_scale is nan, expected a finite number");
  CHECK_THROWS_WITH(optimiser.resume(-1), "adam: resumed at -1 updates, expected at least 0");

  bare<float> other({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
  ul::ema average(other.parameters, ul::constant_average{});
  CHECK_THROWS_WITH(optimiser.step({}, average), "adam: 16 values, the average has 32");
  CHECK_THROWS_WITH(average.update(p), "ema: 16 values, the average has 32");
  CHECK_THROWS_WITH(ul::assign(p, other.parameters.master()), "assign: 32 values, the parameters have 16");
  CHECK(average.updates() == 0);
  CHECK(optimiser.steps() == 0);
  CHECK_THROWS_WITH(ul::clip_scale(1, 0), "clip_scale: limit is 0, expected above 0");
  CHECK_THROWS_WITH(ul::finite_guard(0), "finite_guard: limit is 0, expected at least 1");
}
