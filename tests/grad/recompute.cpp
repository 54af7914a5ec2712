// What can be computed again from what an earlier op kept is not kept.
#include <doctest/doctest.h>

#include <ul/grad/checkpoint.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/glu.hpp>
#include <ul/op/group_norm.hpp>
#include <ul/op/linear.hpp>
#include <ul/op/resize.hpp>
#include <ul/op/row_norm.hpp>
#include <ul/op/shape.hpp>
#include <ul/op/slice.hpp>

#include "counting.hpp"

using namespace ul;

namespace {

using var_t = var<counting, double>;

enum class memory { keep, recompute };

struct outcome {
  std::vector<double> y, dx, dw;
  extent kept = 0;  // bytes in use between the two passes

  bool same_numbers(const outcome& other) const { return y == other.y && dx == other.dx && dw == other.dw; }
};

// Gradients of f(x, w, between) in x (8, 4, 4, 16) and w (16, 16); `between` is to be put around values that f hands
// from op to op and hides, to keep, where a value comes from.
template <class F>
outcome run(memory mode, const F& f) {
  const auto between = [mode](const var_t& v) {
    return mode == memory::recompute ? v : var_t(v.value(), v.recorder(), v.slot());
  };
  counting device;
  outcome o;
  tape<counting> t;
  const auto x = t.watch(normal<double>(device, {8, 4, 4, 16}, key(1)));
  const auto w = t.watch(normal<double>(device, {16, 16}, key(2)));
  const extent before = device.in_use;
  {
    const var_t y = f(x, w, between);
    o.y = to_host(y.value());
    o.kept = device.in_use - before - y.value().size() * extent{sizeof(double)};
    t.backward(y, normal<double>(device, y.shape(), key(3)));
  }
  o.dx = to_host(t.gradient_of(x)), o.dw = to_host(t.gradient_of(w));
  return o;
}

constexpr extent plane = 8 * 4 * 4 * 16 * sizeof(double);  // bytes of a tensor like x

// That f keeps `planes` times the bytes of x less where values are computed again, and gives the same bits.
template <class F>
void saves(double planes, const F& f) {
  const outcome kept = run(memory::keep, f), again = run(memory::recompute, f);
  CHECK(again.same_numbers(kept));
  CHECK(static_cast<double>(kept.kept - again.kept) / plane == doctest::Approx(planes));
}

}  // namespace

TEST_CASE("an activation before a product is computed again") {
  saves(1, [](const auto& x, const auto& w, auto between) { return linear(between(silu(linear(x, w))), w); });
  saves(1, [](const auto& x, const auto& w, auto between) { return linear(between(gelu(linear(x, w))), w); });
  saves(1, [](const auto& x, const auto& w, auto between) {
    return linear(between(linear(x, w, {.act = activation::gelu})), w);
  });
  saves(0.5, [](const auto& x, const auto& w, auto between) {
    return linear(between(swiglu(linear(x, w))), reshape(w, {8, 32}));
  });
}

TEST_CASE("a norm before a product is computed again, its statistics are kept") {
  const auto ones = [](const auto& x, const extents& shape) { return full<double>(x.device(), shape, 1.5); };
  saves(1, [&](const auto& x, const auto& w, auto between) {
    return linear(between(group_norm(x, ones(x, {16}), ones(x, {16}), {.groups = 4})), w);
  });
  saves(1, [&](const auto& x, const auto& w, auto between) {
    return linear(between(layer_norm(x, ones(x, {16}), ones(x, {16}))), w);
  });
  saves(1, [&](const auto& x, const auto& w, auto between) { return linear(between(rms_norm(x, ones(x, {16}))), w); });
  saves(1, [&](const auto& x, const auto& w, auto between) {
    return linear(between(modulated_norm(x, slice(w, 0, 0, 8), slice(w, 0, 8, 8))), w);
  });
}

TEST_CASE("what is computed again may need what is computed again") {
  saves(3, [](const auto& x, const auto& w, auto between) {
    return linear(between(silu(between(exp(between(silu(linear(x, w))))))), w);
  });
  saves(2, [](const auto& x, const auto& w, auto between) {
    const auto h = between(silu(linear(x, w)));
    return add(linear(between(linear(h, w, {.act = activation::silu})), w), linear(h, w));
  });
}

TEST_CASE("a finer grid is computed again from the coarser one") {
  const auto half = [](const auto& x) { return slice(slice(x, 1, 0, 2), 2, 0, 2); };
  saves(1, [&](const auto& x, const auto& w, auto between) {
    return linear(between(resize(half(x), {4, 4}, interpolation::nearest)), w);
  });
  saves(0, [&](const auto& x, const auto& w, auto between) {
    return linear(between(resize(x, {2, 2}, interpolation::nearest)), w);
  });
}

TEST_CASE("values no op can give again are kept") {
  saves(0, [](const auto& x, const auto& w, auto between) { return linear(between(linear(x, w)), w); });
  saves(0, [](const auto& x, const auto& w, auto between) { return square(between(add(linear(x, w), x))); });
}

TEST_CASE("computing again goes together with views, constants and checkpoints") {
  saves(0, [](const auto& x, const auto& w, auto between) {
    return linear(reshape(between(silu(linear(x, w))), {128, 16}), w);
  });
  saves(1, [](const auto& x, const auto& w, auto between) {
    return add(linear(between(stop_gradient(silu(linear(x, w)))), w), x);
  });
  const auto deep = [](const auto& x, const auto& w) { return linear(silu(linear(silu(x), w)), w); };
  const auto bare =
      run(memory::keep, [&](const auto& x, const auto& w, auto between) { return deep(between(silu(deep(x, w))), w); });
  const auto nested = run(memory::recompute, [&](const auto& x, const auto& w, auto) {
    return checkpointed(deep, silu(checkpointed(deep, x, w)), w);
  });
  CHECK(nested.y == bare.y);
  CHECK(nested.dx == bare.dx);
}
