// What ops give, by closed forms and identities.

#include <doctest/doctest.h>

#include <cmath>

#include <ul/backend/reference.hpp>
#include <ul/op/all.hpp>

using namespace ul;

namespace {

using tensor_t = tensor<reference, double>;
using host = std::vector<double>;

tensor_t ramp(reference& device, const extents& shape) {
  host v(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.3 * static_cast<double>(i) - 1.7;
  return from_host<double>(device, shape, v);
}

double largest_difference(const tensor_t& a, const tensor_t& b) {
  REQUIRE(a.shape() == b.shape());
  const host x = to_host(a), y = to_host(b);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::fmax(worst, std::fabs(x[i] - y[i]));
  return worst;
}

}  // namespace

TEST_CASE("element-wise functions are those of the standard library") {
  reference device;
  const tensor_t x = ramp(device, {13});
  const host v = to_host(x);
  const auto agrees = [&](const tensor_t& y, auto f) {
    const host found = to_host(y);
    for (std::size_t i = 0; i < v.size(); ++i) CHECK(found[i] == doctest::Approx(f(v[i])).epsilon(1e-13));
  };
  agrees(ul::exp(x), [](double a) { return std::exp(a); });
  agrees(ul::log(ul::exp(x)), [](double a) { return a; });
  agrees(ul::sqrt(square(x)), [](double a) { return std::fabs(a); });
  agrees(ul::abs(x), [](double a) { return std::fabs(a); });
  agrees(negate(x), [](double a) { return -a; });
  agrees(relu(x), [](double a) { return a > 0 ? a : 0; });
  agrees(sigmoid(x), [](double a) { return 1 / (1 + std::exp(-a)); });
  agrees(ul::tanh(x), [](double a) { return std::tanh(a); });
  agrees(softplus(x), [](double a) { return std::log1p(std::exp(a)); });
  agrees(silu(x), [](double a) { return a / (1 + std::exp(-a)); });
  agrees(gelu_erf(x), [](double a) { return a / 2 * (1 + std::erf(a / std::sqrt(2.0))); });
  agrees(gelu(x), [](double a) { return a / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a))); });
  agrees(affine(x, {.scale = 2, .offset = -1}), [](double a) { return 2 * a - 1; });
}

TEST_CASE("a second operand broadcasts") {
  reference device;
  const tensor_t x = zeros<double>(device, {2, 2, 3});
  const auto b = [&](const extents& shape, const host& v) {
    return to_host(add(x, from_host<double>(device, shape, v)));
  };
  CHECK(b({3}, {1, 2, 3}) == host{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  CHECK(b({2, 1, 1}, {1, 2}) == host{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
  CHECK(b({2, 1, 3}, {1, 2, 3, 4, 5, 6}) == host{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  CHECK(b({1, 2, 3}, {1, 2, 3, 4, 5, 6}) == host{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
  CHECK(b({2, 2, 1}, {1, 2, 3, 4}) == host{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
  CHECK(b({}, {7}) == host(12, 7));
}

TEST_CASE("sums and means of known numbers") {
  reference device;
  const tensor_t x = from_host<double>(device, {2, 2, 2}, host{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(to_scalar(sum(x)) == 36);
  CHECK(to_scalar(mean(x)) == 4.5);
  CHECK(to_host(sum_samples(x)) == host{10, 26});
  CHECK(to_host(mean_positions(x)) == host{2, 3, 6, 7});
  CHECK(to_host(sum_samples(zeros<double>(device, {2, 0}))) == host{0, 0});
  const tensor_t weights = from_host<double>(device, {2}, host{2, 0.5});
  CHECK(to_host(squared_error(x, affine(x, {.offset = 1}), weights)) == host{8, 2});
  CHECK(to_host(squared_error(x, zeros<double>(device, x.shape()), tensor_t())) == host{30, 174});
}

TEST_CASE("combine and gated_add take a coefficient for each sample") {
  reference device;
  const tensor_t x = from_host<double>(device, {2, 1, 2}, host{1, 2, 3, 4}), y = full<double>(device, {2, 1, 2}, 10);
  const tensor_t a = from_host<double>(device, {2}, host{1, -1}), b = from_host<double>(device, {2}, host{0.1, 2});
  CHECK(to_host(combine(a, x, b, y)) == host{2, 3, 17, 16});
  CHECK(to_host(gated_add(x, from_host<double>(device, {2, 2}, host{0, 1, 2, 3}), y)) == host{1, 12, 23, 34});
}

TEST_CASE("matmul multiplies the four ways of storing its operands") {
  reference device;
  const tensor_t a = ramp(device, {2, 3, 4}), b = ramp(device, {2, 4, 5}), c = matmul(a, b);
  const tensor_t at = permute(a, {0, 2, 1}), bt = permute(b, {0, 2, 1});
  CHECK(largest_difference(c, matmul(at, b, {.transpose_a = transpose::yes})) < 1e-12);
  CHECK(largest_difference(c, matmul(a, bt, {.transpose_b = transpose::yes})) < 1e-12);
  CHECK(largest_difference(c, matmul(at, bt, {.transpose_a = transpose::yes, .transpose_b = transpose::yes})) < 1e-12);
  double expected = 0;
  for (int k = 0; k < 4; ++k) expected += (0.3 * (12 + 4 + k) - 1.7) * (0.3 * (20 + 5 * k + 2) - 1.7);
  CHECK(to_host(c)[15 + 5 + 2] == doctest::Approx(expected));
}

TEST_CASE("norms have the mean and the spread they promise") {
  reference device;
  const tensor_t x = ul::exp(ramp(device, {2, 3, 4})), none;
  const auto moments = [](const host& v, std::size_t first, std::size_t count, std::size_t step) {
    double m = 0, s = 0;
    for (std::size_t i = 0; i < count; ++i) m += v[first + i * step], s += v[first + i * step] * v[first + i * step];
    return std::pair(m / static_cast<double>(count), s / static_cast<double>(count));
  };
  const host layer = to_host(layer_norm(x, none, none, {.eps = 0}));
  const host rms = to_host(rms_norm(x, none, {.eps = 0}));
  for (std::size_t row = 0; row < 6; ++row) {
    CHECK(std::fabs(moments(layer, 4 * row, 4, 1).first) < 1e-12);
    CHECK(moments(layer, 4 * row, 4, 1).second == doctest::Approx(1));
    CHECK(moments(rms, 4 * row, 4, 1).second == doctest::Approx(1));
  }
  const host group = to_host(group_norm(x, none, none, {.groups = 4, .eps = 0}));
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t c = 0; c < 4; ++c) {
      CHECK(std::fabs(moments(group, 12 * b + c, 3, 4).first) < 1e-12);
      CHECK(moments(group, 12 * b + c, 3, 4).second == doctest::Approx(1));
    }
  const tensor_t half = full<double>(device, {2, 4}, 0.5), one = full<double>(device, {2, 4}, 1);
  CHECK(largest_difference(modulated_norm(x, half, one),
                           affine(layer_norm(x, none, none, {.eps = 1e-6}), {.scale = 1.5, .offset = 1})) < 1e-12);
}

TEST_CASE("attention is a softmax of scores times values") {
  reference device;
  const tensor_t q = ramp(device, {2, 3, 4}), k = affine(ramp(device, {2, 5, 4}), {.scale = 0.1}),
                 v = ramp(device, {2, 5, 4});
  const tensor_t scores = matmul(q, k, {.transpose_b = transpose::yes});
  CHECK(largest_difference(attention(q, k, v, {.heads = 1}), matmul(softmax(affine(scores, {.scale = 0.5})), v)) <
        1e-12);

  const tensor_t qkv = ul::tanh(ramp(device, {2, 3, 24}));
  const auto part = split(qkv, -1, 3);
  const tensor_t whole = self_attention(qkv, {.heads = 2});
  CHECK(largest_difference(whole, attention(part[0], part[1], part[2], {.heads = 2})) < 1e-12);
  const tensor_t first =
      attention(slice(part[0], -1, 0, 4), slice(part[1], -1, 0, 4), slice(part[2], -1, 0, 4), {.heads = 1});
  CHECK(largest_difference(slice(whole, -1, 0, 4), first) < 1e-12);
}

TEST_CASE("softmax survives large numbers; log_softmax and cross_entropy agree with it") {
  reference device;
  const tensor_t x = from_host<double>(device, {2, 3}, host{1000, 1001, 999, -1000, -1000, -1000});
  const host p = to_host(softmax(x));
  CHECK(p[1] == doctest::Approx(std::exp(1.0) / (1 + std::exp(1.0) + std::exp(-1.0))));
  CHECK(p[4] == doctest::Approx(1.0 / 3));
  CHECK(largest_difference(ul::exp(log_softmax(x)), softmax(x)) < 1e-12);
  const auto labels = from_host<std::int32_t>(device, {2}, std::vector<std::int32_t>{1, 0});
  const host loss = to_host(cross_entropy(x, labels));
  CHECK(loss[0] == doctest::Approx(-std::log(p[1])));
  CHECK(loss[1] == doctest::Approx(std::log(3.0)));
}

TEST_CASE("labels and ids that do not exist give NaN and touch no memory") {
  reference device;
  const auto ids = from_host<std::int32_t>(device, {3}, std::vector<std::int32_t>{-1, 2, 1});
  const host loss = to_host(cross_entropy(zeros<double>(device, {3, 2}), ids));
  CHECK(std::isnan(loss[0]));
  CHECK(std::isnan(loss[1]));
  CHECK(loss[2] == doctest::Approx(std::log(2.0)));
  const host rows = to_host(embedding(ramp(device, {2, 1}), ids));
  CHECK(std::isnan(rows[0]));
  CHECK(std::isnan(rows[1]));
  CHECK(rows[2] == doctest::Approx(-1.4));
}

TEST_CASE("dropout keeps the share it should, and by the key alone") {
  reference device;
  const tensor_t x = full<double>(device, {100000}, 1), y = dropout(x, key(1), 0.25);
  extent kept = 0;
  for (const double v : to_host(y)) {
    CHECK_UNARY(v == 0 || v == 1 / (1 - 0.25));
    kept += v != 0;
  }
  CHECK(std::abs(kept - 75000) < 5 * 137);  // five standard deviations
  CHECK(to_host(dropout(x, key(1), 0.25)) == to_host(y));
  CHECK(to_host(dropout(x, key(2), 0.25)) != to_host(y));
  CHECK(largest_difference(slice(y, 0, 0, 10), dropout(slice(x, 0, 0, 10), key(1), 0.25)) == 0);
  CHECK(to_host(dropout(x, key(1), 0)) == to_host(x));
}

TEST_CASE("gates multiply the first half by a function of the second") {
  reference device;
  const tensor_t x = ramp(device, {3, 8});
  const auto half = split(x, -1, 2);
  CHECK(largest_difference(swiglu(x), mul(half[0], silu(half[1]))) < 1e-14);
  CHECK(largest_difference(geglu(x), mul(half[0], gelu_erf(half[1]))) < 1e-14);
}

TEST_CASE("rope turns pairs of channels, so that scores depend on distances alone") {
  reference device;
  const host angle{0, 0, 0.5, 0.1, 1, 0.2};  // token n: (0.5 n, 0.1 n)
  const tensor_t angles = from_host<double>(device, {3, 2}, angle);
  const host one = to_host(rope(from_host<double>(device, {1, 1, 2}, host{1, 0}),
                                from_host<double>(device, {1, 1}, host{0.5}), {.heads = 1}));
  CHECK(one[0] == doctest::Approx(std::cos(0.5)));
  CHECK(one[1] == doctest::Approx(std::sin(0.5)));
  const tensor_t row = ramp(device, {1, 1, 4}), q = expand(row, {1, 3, 4}), k = affine(q, {.scale = -0.3, .offset = 1});
  const host s =
      to_host(matmul(rope(q, angles, {.heads = 1}), rope(k, angles, {.heads = 1}), {.transpose_b = transpose::yes}));
  CHECK(s[0] == doctest::Approx(s[4]));
  CHECK(s[1] == doctest::Approx(s[5]));
  CHECK(s[3] == doctest::Approx(s[7]));
}

TEST_CASE("elements move to where they should") {
  reference device;
  const auto numbers = [&](const extents& shape) {
    host v(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(i);
    return from_host<double>(device, shape, v);
  };
  CHECK(to_host(permute(numbers({1, 2, 3}), {0, 2, 1})) == host{0, 3, 1, 4, 2, 5});
  CHECK(to_host(slice(numbers({2, 3}), -1, 1, 2)) == host{1, 2, 4, 5});
  CHECK(to_host(concat(-1, numbers({2, 1}), numbers({2, 2}))) == host{0, 0, 1, 1, 2, 3});
  CHECK(to_host(pad(numbers({1, 2, 1}), {.low = 1, .high = 2})) == host{0, 0, 1, 0, 0});
  CHECK(to_host(crop(numbers({1, 4, 1}), {.low = 1, .high = 2})) == host{1});
  CHECK(to_host(patchify(numbers({1, 2, 4, 1}), 2)) == host{0, 1, 4, 5, 2, 3, 6, 7});
  CHECK(to_host(avg_pool(numbers({1, 2, 4, 1}), 2)) == host{2.5, 4.5});
  CHECK(to_host(embedding(numbers({3, 2}), from_host<std::int32_t>(device, {2}, std::vector<std::int32_t>{2, 0}))) ==
        host{4, 5, 0, 1});
  const tensor_t x = numbers({2, 4, 6, 3});
  CHECK(to_host(unpatchify(patchify(x, {2, 3}), {2, 3})) == to_host(x));
  CHECK(to_host(crop(pad(x, {.low = {1, 2}, .high = 1}), {.low = {1, 2}, .high = 1})) == to_host(x));
  CHECK(to_host(reshape(x, {8, 18})) == to_host(x));
  CHECK(to_host(avg_pool(resize(x, {8, 12}, interpolation::nearest), 2)) == to_host(x));
}

TEST_CASE("conv with a kernel of one is a linear layer, and conv_transpose its transpose") {
  reference device;
  const tensor_t x = ramp(device, {2, 3, 3, 4}), w = ramp(device, {4, 5}), bias = ramp(device, {5});
  CHECK(largest_difference(conv(x, reshape(w, {1, 1, 4, 5}), bias), linear(x, w, bias)) < 1e-12);
  CHECK(largest_difference(conv_transpose(x, reshape(permute(w, {1, 0}), {1, 1, 5, 4}), bias), linear(x, w, bias)) <
        1e-12);
}
