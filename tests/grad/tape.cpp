#include <doctest/doctest.h>

#include <ul/backend/reference.hpp>
#include <ul/grad/apply.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/reduce.hpp>
#include <ul/op/shape.hpp>

using namespace ul;

namespace {

using host = std::vector<double>;
using tensor_t = tensor<reference, double>;

tensor_t numbers(reference& device, const host& v) {
  return from_host<double>(device, {static_cast<extent>(v.size())}, v);
}

}  // namespace

TEST_CASE("gradients of a value read several times add up") {
  reference device;
  tape<reference> t;
  const auto x = t.watch(numbers(device, {2, 3}));
  const auto y = add(mul(x, x), add(x, x));  // x^2 + 2 x
  t.backward(sum(y));
  CHECK(to_host(t.gradient_of(x)) == host{6, 8});
}

TEST_CASE("the caller's gradient and values stay as they were") {
  reference device;
  const tensor_t at = numbers(device, {1, 2}), dy = numbers(device, {1, 1});
  tape<reference> t;
  const auto x = t.watch(at);
  const auto y = add(reshape(x, {2}), affine(x, {.scale = 2}));
  t.backward(y, dy);
  CHECK(to_host(t.gradient_of(x)) == host{3, 3});
  CHECK(to_host(dy) == host{1, 1});
  CHECK(to_host(at) == host{1, 2});
}

TEST_CASE("nothing is recorded without a tape, or where no gradient is wanted") {
  reference device;
  const tensor_t x = numbers(device, {1, 2});
  static_assert(std::is_same_v<decltype(exp(x)), tensor_t>);
  const auto free = silu(var(x));
  CHECK(free.recorder() == nullptr);
  tape<reference> t;
  const auto constant = silu(t.constant(x));
  CHECK(constant.recorder() == &t);
  CHECK_FALSE(constant.wants_gradient());
  CHECK_FALSE(silu(stop_gradient(t.watch(x))).wants_gradient());
}

TEST_CASE("stop_gradient stops one way and leaves the other") {
  reference device;
  tape<reference> t;
  const auto x = t.watch(numbers(device, {3}));
  t.backward(sum(mul(x, stop_gradient(square(x)))));
  CHECK(to_host(t.gradient_of(x)) == host{9});
}

TEST_CASE("backward takes a direction, or scales a single number") {
  reference device;
  tape<reference> first, second;
  const auto x = first.watch(numbers(device, {1, 2, 3})), z = second.watch(numbers(device, {1, 2, 3}));
  first.backward(square(x), numbers(device, {1, 0, -1}));
  CHECK(to_host(first.gradient_of(x)) == host{2, 0, -6});
  second.backward(sum(z), 0.5);
  CHECK(to_host(second.gradient_of(z)) == host{0.5, 0.5, 0.5});
}

TEST_CASE("what was recorded is freed as gradients pass") {
  reference device;
  const tensor_t x = numbers(device, {1});
  tape<reference> t;
  {
    const auto v = t.watch(x);
    t.backward(sum(square(v)));
    CHECK_FALSE(x.unique());  // the variable itself
  }
  CHECK(x.unique());
}

TEST_CASE("a tape that is used wrongly says how") {
  reference device;
  const tensor_t x = numbers(device, {1, 2});
  tape<reference> t, other;
  const auto v = t.watch(x), w = other.watch(x);
  CHECK_THROWS_WITH(add(v, w), "apply: the inputs are recorded on two tapes");
  CHECK_THROWS_WITH(t.backward(v), "backward: the loss has 2 elements, expected 1");
  CHECK_THROWS_WITH(t.backward(w, x), "backward: the variable is not recorded on this tape");
  CHECK_THROWS_WITH(t.backward(v, numbers(device, {1})), "backward: dy is (1), expected (2)");
  CHECK_THROWS_WITH(t.gradient_of(w), "gradient_of: the variable is not watched on this tape");
  t.backward(sum(v));
  CHECK_THROWS_WITH(t.backward(v, x), "backward: the tape has run before");
  CHECK_THROWS_WITH(square(v), "tape: recording after backward; a tape runs back once");
}
