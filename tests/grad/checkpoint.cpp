#include <doctest/doctest.h>

#include <ul/grad/checkpoint.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/linear.hpp>

#include "counting.hpp"

using namespace ul;

namespace {

struct outcome {
  std::vector<double> y, dx, dz, dw;
  extent kept = 0;  // bytes in use between the two passes
};

enum class memory { keep, recompute };

outcome run(memory mode) {
  counting device;
  parameters<counting, double> store(device);
  const auto w = store.root().declare("w", {6, 6}, normal_init(0.5));
  store.allocate(key(1));
  store.zero_gradient();
  const auto deep = [w](const auto& x, const auto& z) {
    auto h = add(x, z);
    for (int i = 0; i < 5; ++i) h = silu(linear(h, w));
    return h;
  };
  outcome o;
  tape<counting> t;
  const auto x = t.watch(normal<double>(device, {9, 6}, key(2))), z = t.watch(normal<double>(device, {6}, key(3)));
  {
    auto h = square(x);
    h = mode == memory::keep ? deep(h, z) : checkpointed(deep, h, z);
    h = mode == memory::keep ? deep(h, z) : checkpointed(deep, h, z);
    o.y = to_host(h.value());
    o.kept = device.in_use;
    t.backward(h, normal<double>(device, h.shape(), key(4)));
  }
  o.dx = to_host(t.gradient_of(x)), o.dz = to_host(t.gradient_of(z)), o.dw = to_host(store.gradient());
  return o;
}

}  // namespace

TEST_CASE("a checkpoint gives the same bits and keeps less") {
  const outcome plain = run(memory::keep), again = run(memory::recompute);
  CHECK(plain.y == again.y);
  CHECK(plain.dx == again.dx);
  CHECK(plain.dz == again.dz);
  CHECK(plain.dw == again.dw);
  CHECK(again.kept * 2 < plain.kept);
}

TEST_CASE("a checkpoint passes gradients only where they are wanted, and records nothing without a tape") {
  reference device;
  const auto f = [](const auto& x, const auto& y) { return mul(x, y); };
  tape<reference> t;
  const auto x = t.watch(full<double>(device, {2}, 3)), c = t.constant(full<double>(device, {2}, 5));
  t.backward(checkpointed(f, x, c), full<double>(device, {2}, 1));
  CHECK(to_host(t.gradient_of(x)) == std::vector<double>{5, 5});
  const auto free = checkpointed(f, var(x.value()), var(c.value()));
  CHECK(free.recorder() == nullptr);
  CHECK(to_host(free.value()) == std::vector<double>{15, 15});
}
