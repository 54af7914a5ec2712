// Results published by the tests of ggml (ggml-org/ggml, commit d99724f2b141fed9e1a9f402213506c081433465). There the
// channels come first; one channel, or equal channels, make that no difference here except where noted.

#include <doctest/doctest.h>

#include <cmath>

#include <ul/backend/reference.hpp>
#include <ul/op/conv.hpp>
#include <ul/op/conv_transpose.hpp>
#include <ul/op/resize.hpp>

using namespace ul;

namespace {

using tensor_t = tensor<reference, float>;

void check_values(const tensor_t& y, const extents& shape, const std::vector<float>& expected, float tolerance) {
  REQUIRE(y.shape() == shape);
  const std::vector<float> found = to_host(y);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(found[i] - expected[i]) <= tolerance);
  }
}

}  // namespace

// tests/test-interpolate.cpp
TEST_CASE("resize reproduces published interpolations") {
  reference device;
  const tensor_t x = from_host<float>(device, {1, 2, 2, 1}, std::vector<float>{0, 1, 2, 4});
  check_values(resize(x, {4, 4}, interpolation::nearest), {1, 4, 4, 1},
               {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 4, 4, 2, 2, 4, 4}, 0);
  check_values(resize(x, {4, 4}, interpolation::bilinear), {1, 4, 4, 1},
               {0, 0.25f, 0.75f, 1, 0.5f, 0.8125f, 1.4375f, 1.75f, 1.5f, 1.9375f, 2.8125f, 3.25f, 2, 2.5f, 3.5f, 4},
               1e-4f);
  check_values(
      resize(x, {4, 4}, interpolation::bilinear_corners), {1, 4, 4, 1},
      {0, 0.3333f, 0.6667f, 1, 0.6667f, 1.1111f, 1.5556f, 2, 1.3333f, 1.8889f, 2.4444f, 3, 2, 2.6667f, 3.3333f, 4},
      1e-4f);
  // Two channels, here last.
  const tensor_t z = from_host<float>(device, {1, 3, 4, 2}, std::vector<float>{0, 1,  -1, 2, -2, 3,  0, 4,  //
                                                                               1, 2,  2,  2, 4,  2,  4, 2,  //
                                                                               2, -2, 2,  2, 1,  -4, 1, 4});
  check_values(resize(z, {2, 3}, interpolation::bilinear), {1, 2, 3, 2},
               {0.1667f, 1.375f, -0.375f, 2.375f, 0.75f, 3.375f, 1.7917f, -0.5f, 1.875f, -0.25f, 1.75f, 2.5f}, 1e-4f);
}

// tests/test-conv2d.cpp, expected_conv2d; tests/test-conv1d.cpp, expected_conv1d
TEST_CASE("conv reproduces published sums of constants") {
  reference device;
  const tensor_t plane = conv(full<float>(device, {1, 6, 8, 10}, 1.5), full<float>(device, {3, 3, 10, 10}, 2.5));
  std::vector<float> expected;
  for (int h = 0; h < 6; ++h)
    for (int w = 0; w < 8; ++w) {
      const int borders = (h == 0 || h == 5) + (w == 0 || w == 7);
      expected.insert(expected.end(), 10, borders == 2 ? 150.0f : borders == 1 ? 225.0f : 337.5f);
    }
  check_values(plane, {1, 6, 8, 10}, expected, 0);

  const tensor_t line = conv(full<float>(device, {1, 8, 10}, 2.5), full<float>(device, {3, 10, 10}, 4.5));
  expected.clear();
  for (int i = 0; i < 8; ++i) expected.insert(expected.end(), 10, i == 0 || i == 7 ? 225.0f : 337.5f);
  check_values(line, {1, 8, 10}, expected, 0);
}

// tests/test-conv-transpose.c, test_conv_transpose_1d: input (Cin, length), weight (Cin, Cout, kernel)
TEST_CASE("conv_transpose reproduces published results") {
  reference device;
  const tensor_t x = from_host<float>(device, {1, 3, 2}, std::vector<float>{0, 3, 1, 4, 2, 5});
  std::vector<float> w(12);
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t out = 0; out < 3; ++out)
      for (std::size_t in = 0; in < 2; ++in) w[(k * 3 + out) * 2 + in] = static_cast<float>((in * 3 + out) * 2 + k);
  const tensor_t weight = from_host<float>(device, {2, 3, 2}, w);
  check_values(conv_transpose(x, weight, {.stride = 1}), {1, 4, 3}, {18, 24, 30, 45, 61, 77, 59, 83, 107, 37, 51, 65},
               0);
  check_values(conv_transpose(x, weight, {.stride = 2}), {1, 6, 3},
               {18, 24, 30, 21, 27, 33, 24, 34, 44, 29, 39, 49, 30, 44, 58, 37, 51, 65}, 0);
  check_values(conv_transpose(x, weight, {.stride = 3}), {1, 8, 3},
               {18, 24, 30, 21, 27, 33, 0, 0, 0, 24, 34, 44, 29, 39, 49, 0, 0, 0, 30, 44, 58, 37, 51, 65}, 0);
}
