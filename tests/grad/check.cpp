#include <doctest/doctest.h>

#include <ul/backend/reference.hpp>
#include <ul/grad/check.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/linear.hpp>
#include <ul/op/shape.hpp>

using namespace ul;

namespace {

// Ops of a user's own: x -> x^3, right and wrong in several ways.
enum class fault { none, slope, overwrites, recording };

struct cube {
  fault with = fault::none;

  template <backend B, element T>
  using saved = tensor<B, T>;

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    if (keep) *keep = x;
    const auto y = mul(mul(x, x), x);
    return keep && with == fault::recording ? affine(y, {.scale = 1.001}) : y;
  }
  template <backend B, element T>
  void adjoint(const tensor<B, T>& x, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const auto d = mul(affine(mul(x, x), {.scale = with == fault::slope ? 2.999 : 3}), dy);
    if (with == fault::overwrites) {
      if (const auto to = dx.into(dy.device(), dy.shape()); to.data)
        dy.device().copy(to.data, d.data(), d.size() * extent{sizeof(T)});
    } else {
      dx.add(d);
    }
  }
};

const std::vector<double> points{0.5, -1, 2};

}  // namespace

TEST_CASE("an op of one's own is checked without being registered") {
  reference device;
  const auto x = from_host<double>(device, {3}, points);
  CHECK(check_gradient(cube{}, x) < 1e-7);
  CHECK(check_gradient([](const auto& v) { return apply(cube{}, silu(v)); }, x) < 1e-7);
}

TEST_CASE("a wrong adjoint is found, and named") {
  reference device;
  const auto x = from_host<double>(device, {3}, points);
  const auto text = [&](fault f) -> std::string {
    try {
      check_gradient(cube{f}, x);
    } catch (const error& e) {
      return e.what();
    }
    return "";
  };
  CHECK(text(fault::slope).starts_with("gradient_check: input 0, element 0 of (3): the adjoint gives "));
  CHECK(text(fault::overwrites).starts_with("gradient_check: input 0, element 0: twice in use its gradient is "));
  CHECK(text(fault::recording).starts_with("gradient_check: element 0 of the result is "));
}

TEST_CASE("every parameter of a store is checked") {
  reference device;
  parameters<reference, double> store(device);
  const auto w = store.root().declare("w", {3, 2}, normal_init(1)), b = store.root().declare("b", {2}, normal_init(1));
  store.allocate(key(1));
  const auto x = normal<double>(device, {4, 3}, key(2));
  CHECK(check_parameter_gradient(
            store, [&](const auto& v) { return silu(linear(v, w, b)); }, x) < 1e-7);
  const auto wrong = [&](const auto& v) { return apply(cube{fault::slope}, linear(v, w, b)); };
  CHECK_THROWS(check_parameter_gradient(store, wrong, x));
}
