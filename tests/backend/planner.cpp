// The planner against FLOPs and bytes counted by hand.

#include <doctest/doctest.h>

#include <vector>

#include <ul/backend/planner.hpp>
#include <ul/nn/attention.hpp>
#include <ul/nn/conv.hpp>
#include <ul/nn/conv_transpose.hpp>
#include <ul/nn/linear.hpp>
#include <ul/op/reduce.hpp>

using namespace ul;

namespace {

struct counted {
  std::int64_t forward, backward;
  bool operator==(const counted&) const = default;
};

// Of a block on x, first as a part within a network, whose input wants a gradient too.
template <class Block, class... Options>
counted count(const extents& shape, Options... options) {
  planner device;
  parameters<planner, float> store(device);
  const Block block(store.root(), options...);
  store.allocate();
  store.zero_gradient();
  tape<planner> t;
  const auto y = sum(block(t.watch(tensor<planner, float>(device, shape))));
  const std::int64_t forward = device.flops();
  t.backward(y);
  return {forward, device.flops() - forward};
}

}  // namespace

TEST_CASE("the planner counts a linear layer, forward once and backward twice") {
  using linear = nn::linear<planner, float>;
  CHECK(count<linear>({5, 7, 3}, 3, 11) == counted{2 * 35 * 3 * 11, 4 * 35 * 3 * 11});
}

TEST_CASE("the planner counts convolutions by their outputs") {
  using conv = nn::conv<planner, float>;
  constexpr std::int64_t plain = 2 * 2 * 8 * 6 * 9 * 3 * 5;  // 2 samples, 8 x 6 outputs, 9 taps, 3 -> 5 channels
  CHECK(count<conv>({2, 8, 6, 3}, 3, 5) == counted{plain, 2 * plain});
  CHECK(count<conv>({2, 8, 6, 3}, 3, 5, nn::conv_options{.stride = 2}) == counted{plain / 4, plain / 2});
  // Each input of a transposed convolution meets every tap.
  using conv_transpose = nn::conv_transpose<planner, float>;
  constexpr std::int64_t transposed = 2 * 2 * 8 * 6 * 16 * 3 * 5;
  CHECK(count<conv_transpose>({2, 8, 6, 3}, 3, 5, nn::conv_transpose_options{.kernel = 4, .stride = 2, .pad = 1}) ==
        counted{transposed, 2 * transposed});
}

TEST_CASE("the planner counts an attention block: projections, scores and mix") {
  using attention = nn::attention<planner, float>;
  constexpr std::int64_t B = 2, N = 10, C = 12;
  constexpr std::int64_t projections = 2 * B * N * C * 4 * C, products = 2 * B * N * N * C * 2;
  CHECK(count<attention>({B, N, C}, nn::attention_options{.channels = C, .heads = 3}) ==
        counted{projections + products, 2 * (projections + products)});
}

TEST_CASE("the planner counts bytes without taking any") {
  planner device;
  const tensor<planner, float> a(device, {extent{1} << 40});
  CHECK(device.bytes_in_use() == extent{4} << 40);
  {
    const tensor<planner, double> b(device, {10}), c(device, {1});
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0);
    CHECK(static_cast<void*>(b.data()) != static_cast<void*>(c.data()));
    CHECK(device.bytes_in_use() == (extent{4} << 40) + 88);
  }
  CHECK(device.bytes_in_use() == extent{4} << 40);
  CHECK(device.peak() == (extent{4} << 40) + 88);
  device.reset();
  CHECK(device.peak() == extent{4} << 40);
  CHECK_THROWS_WITH_AS(device.allocate(-1), "planner: -1 bytes wanted", error);
}

TEST_CASE("what is read from the planner is zeros") {
  planner device;
  const auto x = from_host<float>(device, {3}, std::vector<float>{1, 2, 3});
  CHECK(to_host(x) == std::vector<float>{0, 0, 0});
}
