#include <doctest/doctest.h>

#include <cmath>

#include <ul/backend/reference.hpp>
#include <ul/grad/apply.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/linear.hpp>
#include <ul/op/squared_error.hpp>

using namespace ul;

TEST_CASE("parameters are declared, counted, allocated and found by path") {
  reference device;
  parameters<reference, float> store(device);
  const auto w = (store.root() / "encoder").declare("weight", {3, 5}, fan_in_init(3));
  const auto b = (store.root() / "encoder").declare("bias", {5}, ones_init);
  CHECK(store.count() == 20);
  CHECK(store.entries()[0].path == "encoder/weight");
  CHECK_THROWS_WITH(w.value(), "parameters: encoder/weight is used before allocate()");
  CHECK_THROWS_WITH((store.root() / "encoder").declare("bias", {1}, zeros_init),
                    "parameters: encoder/bias is declared twice");
  store.allocate(key(1));
  CHECK_THROWS_WITH(store.root().declare("late", {1}, zeros_init), "parameters: late is declared after allocate()");
  CHECK(to_host(b.value()) == std::vector<float>(5, 1));
  for (const float x : to_host(w.value())) CHECK(std::fabs(x) <= 1 / std::sqrt(3.0f));
}

TEST_CASE("a parameter's initial value depends on its own path and the key alone") {
  reference device;
  const auto first_of = [&](bool other, std::uint64_t seed) {
    parameters<reference, float> store(device);
    if (other) store.root().declare("other", {100}, normal_init(1));
    const auto w = store.root().declare("w", {4}, normal_init(1));
    store.allocate(key(seed));
    return to_host(w.value());
  };
  CHECK(first_of(false, 1) == first_of(true, 1));
  CHECK(first_of(false, 1) != first_of(false, 2));
}

TEST_CASE("gradients of parameters gather over several steps back until they are zeroed") {
  reference device;
  parameters<reference, double> store(device);
  const auto w = store.root().declare("w", {1, 1}, ones_init);
  store.allocate(key(1));
  const auto step = [&] {
    tape<reference> t;
    t.backward(linear(t.constant(full<double>(device, {1, 1}, 3)), w));
  };
  store.zero_gradient();
  step();
  step();
  CHECK(to_scalar(store.part(store.gradient(), w.entry())) == 6);
  store.zero_gradient();
  step();
  CHECK(to_scalar(store.part(store.gradient(), w.entry())) == 3);
  store.drop_gradient();
  tape<reference> t;
  CHECK_FALSE(linear(t.constant(full<double>(device, {1, 1}, 3)), w).wants_gradient());
}

// The mixed-precision contract: weights and activations in 16 bits, masters, gradients and losses in float.
TEST_CASE_TEMPLATE("a layer in 16 bits has float masters and float gradients", T, bf16, fp16) {
  reference device;
  parameters<reference, T> store(device);
  const auto w = store.root().declare("w", {7, 3}, normal_init(0.5)),
             b = store.root().declare("b", {3}, normal_init(0.5));
  store.allocate(key(1));
  store.zero_gradient();
  static_assert(std::is_same_v<decltype(store.master()), const tensor<reference, float>&>);
  static_assert(std::is_same_v<decltype(store.gradient()), const tensor<reference, float>&>);
  CHECK(to_host(cast<float>(store.value())) != to_host(store.master()));
  CHECK(to_host(store.value()) == to_host(cast<T>(store.master())));

  // The same layer in double, at the rounded weights.
  parameters<reference, double> exact(device);
  const auto v = exact.root().declare("w", {7, 3}, zeros_init), c = exact.root().declare("b", {3}, zeros_init);
  exact.allocate(key(1));
  device.copy(exact.value().data(), cast<double>(store.value()).data(), exact.flat_size() * extent{sizeof(double)});
  exact.zero_gradient();

  const auto x = cast<T>(normal<float>(device, {4, 7}, key(2)));
  const auto target = cast<T>(normal<float>(device, {4, 3}, key(3)));
  tape<reference> t, u;
  const auto in = t.watch(x);
  const auto y = silu(linear(in, w, b));
  static_assert(std::is_same_v<typename decltype(y)::value_type, T>);
  const auto loss = squared_error(y, target, tensor<reference, float>());
  static_assert(std::is_same_v<typename decltype(loss)::value_type, float>);
  t.backward(loss, full<float>(device, {4}, 1));

  const auto in_exact = u.watch(cast<double>(x));
  const auto y_exact = silu(linear(in_exact, v, c));
  u.backward(squared_error(y_exact, cast<double>(target), tensor<reference, double>()), full<double>(device, {4}, 1));

  // Each of the few roundings to 16 bits moves a value by half a unit in its last place.
  const double unit = std::is_same_v<T, bf16> ? 0x1p-8 : 0x1p-11;
  const auto close = [&](const std::vector<float>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    double largest = 0;
    for (const double e : expected) largest = std::fmax(largest, std::fabs(e));
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(std::fabs(static_cast<double>(found[i]) - expected[i]) <= 4 * unit * largest);
  };
  close(to_host(cast<float>(y.value())), to_host(y_exact.value()));
  close(to_host(store.gradient()), to_host(exact.gradient()));
  close(to_host(cast<float>(t.gradient_of(in))), to_host(u.gradient_of(in_exact)));
}

TEST_CASE("a store may be made without initial values") {
  reference device;
  parameters<reference, float> store(device);
  const auto w = store.root().declare("w", {2, 3}, ones_init);
  store.allocate();
  CHECK(to_host(store.master()) == std::vector<float>(static_cast<std::size_t>(store.flat_size())));
  CHECK(w.value().shape() == extents{2, 3});
}
