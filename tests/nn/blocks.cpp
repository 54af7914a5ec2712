// Every block's gradients, over all its parameters, in double; its shapes; and what it says to bad input.

#include <ul/nn/attention_block.hpp>
#include <ul/nn/class_embedding.hpp>
#include <ul/nn/conv_transpose.hpp>
#include <ul/nn/noise_embedding.hpp>
#include <ul/nn/patches.hpp>
#include <ul/nn/resnet_block.hpp>
#include <ul/nn/transformer.hpp>
#include <ul/op/reduce.hpp>

#include "support.hpp"

namespace ul::test {
namespace {

using D = reference;
using V = var<D, double>;

struct bench {
  D device;
  store<double> p{device};

  scope<D, double> root() { return p.root(); }
  host_tensor<double> random(const extents& shape, std::uint64_t seed = 1) {
    return normal<double>(device, shape, key(seed));
  }
  void ready() {
    p.allocate(key(3));
    shake(p);
  }
  // Allocates, checks that f(x) has the shape expected, and its gradients.
  template <class F>
  void check(const extents& in, const extents& out, F f) {
    ready();
    const auto x = random(in);
    CHECK(f(V(x)).shape() == out);
    check_gradients(p, x, f);
  }
};

}  // namespace

TEST_CASE("linear layers") {
  bench plain;
  plain.check({2, 3, 4}, {2, 3, 5}, nn::linear<D, double>(plain.root(), 4, 5));
  bench activated;
  activated.check({3, 4}, {3, 2},
                  nn::linear<D, double>(activated.root(), 4, 2, {.bias = false, .act = activation::silu}));
  CHECK(activated.p.count() == 8);
}

TEST_CASE("convolutions over one, two and three axes") {
  bench one;
  one.check({2, 5, 2}, {2, 5, 3}, nn::conv<D, double>(one.root(), 2, 3, {.axes = 1}));
  bench two;
  two.check({2, 5, 4, 2}, {2, 3, 2, 3}, nn::conv<D, double>(two.root(), 2, 3, {.stride = 2}));
  bench three;
  three.check({1, 3, 2, 2, 2}, {1, 3, 2, 2, 1}, nn::conv<D, double>(three.root(), 2, 1, {.axes = 3, .bias = false}));
  bench transposed;
  transposed.check({1, 2, 3, 2}, {1, 4, 6, 3}, nn::conv_transpose<D, double>(transposed.root(), 2, 3));
}

TEST_CASE("norms") {
  bench group;
  group.check({2, 3, 2, 4}, {2, 3, 2, 4},
              nn::group_norm<D, double>(group.root(), 4, {.groups = 2, .act = activation::silu}));
  bench layer;
  layer.check({2, 3, 4}, {2, 3, 4}, nn::layer_norm<D, double>(layer.root(), 4));
  bench rms;
  rms.check({2, 3, 4}, {2, 3, 4}, nn::rms_norm<D, double>(rms.root(), 4));
}

TEST_CASE("resampling of odd grids") {
  bench down;
  down.check({1, 5, 3, 2}, {1, 3, 2, 3}, nn::downsample<D, double>(down.root(), 2, 3));
  bench up;
  const nn::resize_conv<D, double> grow(up.root(), 2, 3);
  up.check({1, 3, 2, 2}, {1, 5, 3, 3}, [&](const V& x) { return grow(x, {5, 3}); });
  CHECK(grow(V(up.random({1, 3, 2, 2}))).shape() == extents{1, 6, 4, 3});
}

TEST_CASE("patches there and back") {
  bench in;
  in.check({1, 4, 2, 3}, {1, 2, 1, 5}, nn::to_patches<D, double>(in.root(), 3, 5));
  bench out;
  out.check({1, 2, 1, 5}, {1, 4, 2, 3}, nn::from_patches<D, double>(out.root(), 5, 3));
  CHECK_THROWS_WITH(nn::patch_grid({4, 3}, 2), "patches: grid (4, 3) does not divide into patches of 2");
}

TEST_CASE("attention") {
  bench self;
  self.check({2, 3, 4}, {2, 3, 4}, nn::attention<D, double>(self.root(), {.channels = 4, .heads = 2}));
  CHECK(self.p.count() == 4 * 12 + 12 + 4 * 4 + 4);

  bench rotated;
  const nn::attention<D, double> turn(rotated.root(), {.channels = 8, .heads = 2, .qkv_bias = false, .qk_norm = true});
  const auto angles = nn::rotary_angles<double>(rotated.device, {2, 2}, 4);
  rotated.check({1, 4, 8}, {1, 4, 8}, [&](const V& x) { return turn(x, angles); });

  bench cross;
  const nn::attention<D, double> look(cross.root(), {.channels = 4, .heads = 2, .context = 3, .qk_norm = true});
  const V context(cross.random({2, 5, 3}, 9));
  cross.check({2, 3, 4}, {2, 3, 4}, [&](const V& x) { return look(x, context); });
  CHECK_THROWS_WITH(look(V(cross.random({2, 3, 4}))), "attention: no context given, expected (B, M, 3)");
  using attention = nn::attention<D, double>;
  CHECK_THROWS_WITH(attention(bench().root(), {.channels = 4, .heads = 3}),
                    "attention: 4 channels do not divide into 3 heads");
}

TEST_CASE("rotary positions: only the difference of two places matters") {
  bench b;
  const nn::attention<D, double> turn(b.root(), {.channels = 4, .heads = 1});
  b.ready();
  const auto x = b.random({1, 3, 4});
  auto angles = nn::rotary_angles<double>(b.device, {3}, 4);
  const auto here = to_host(turn(V(x), angles).value());
  for (extent n = 0; n < 3; ++n)
    for (extent i = 0; i < 2; ++i) angles.data()[n * 2 + i] += 5 * (i == 0 ? 1 : 0.01);
  const auto there = to_host(turn(V(x), angles).value());
  const auto still = to_host(turn(V(x)).value());
  double change = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    CHECK(here[i] == doctest::Approx(there[i]).epsilon(1e-12));
    change += std::abs(here[i] - still[i]);
  }
  CHECK(change > 1e-3);
}

TEST_CASE("feed-forward halves") {
  for (const auto kind : {nn::mlp_kind::gelu, nn::mlp_kind::geglu, nn::mlp_kind::swiglu}) {
    bench b;
    const nn::mlp<D, double> f(b.root(), {.channels = 3, .hidden = 5, .kind = kind, .dropout = 0.5});
    const key step(4);
    b.check({2, 2, 3}, {2, 2, 3}, [&](const V& x) { return f(x, &step); });
    CHECK(b.p.count() == (kind == nn::mlp_kind::gelu ? 20 : 40) + 18);
  }
}

TEST_CASE("residual blocks") {
  using nn::embedding_entry;
  bench plain;
  const nn::resnet_block<D, double> same(plain.root(), {.in = 4, .groups = 2, .axes = 1});
  plain.check({2, 3, 4}, {2, 3, 4}, [&](const V& x) { return same(x); });

  for (const auto how : {embedding_entry::add, embedding_entry::scale_shift})
    for (const auto resample : {nn::resampling::none, nn::resampling::down, nn::resampling::up}) {
      bench b;
      const nn::resnet_block<D, double> block(
          b.root(), {.in = 2, .out = 4, .embedding = 3, .how = how, .resample = resample, .groups = 1, .dropout = 0.3});
      const V embedding(b.random({2, 3}, 8));
      const key step(6);
      const extent side = resample == nn::resampling::none ? 2 : resample == nn::resampling::down ? 1 : 4;
      b.check({2, 2, 2, 2}, {2, side, side, 4},
              [&](const V& x) { return block(x, {.embedding = embedding, .dropout = &step}); });
      CHECK_THROWS_WITH(block(V(b.random({2, 2, 2, 2}))), "resnet_block: no embedding given, expected (B, 3)");
    }

  bench zero;
  const nn::resnet_block<D, double> nothing(zero.root(), {.in = 4, .groups = 2, .last = nn::initial::zero});
  zero.p.allocate(key(1));
  const auto x = zero.random({1, 2, 2, 4});
  CHECK(to_host(nothing(V(x)).value()) == to_host(x));
}

TEST_CASE("attention between positions") {
  bench b;
  b.check({2, 2, 2, 4}, {2, 2, 2, 4},
          nn::attention_block<D, double>(b.root(), {.channels = 4, .heads = 2, .groups = 2}));
}

TEST_CASE("transformer blocks") {
  bench plain;
  const nn::transformer_block<D, double> unconditioned(plain.root(), {.channels = 4, .heads = 2, .hidden = 6});
  plain.check({2, 3, 4}, {2, 3, 4}, [&](const V& x) { return unconditioned(x); });

  bench b;
  const nn::transformer_block<D, double> block(
      b.root(), {.channels = 4, .heads = 2, .embedding = 3, .context = 2, .hidden = 5, .dropout = 0.2});
  const V embedding(b.random({2, 3}, 8)), context(b.random({2, 3, 2}, 9));
  const key step(6);
  b.check({2, 3, 4}, {2, 3, 4},
          [&](const V& x) { return block(x, {.embedding = embedding, .context = context, .dropout = &step}); });
  CHECK_THROWS_WITH(block(V(b.random({2, 3, 4}))), "transformer_block: no embedding given, expected (B, 3)");

  for (const extent features : {0, 3}) {
    bench zero;
    const nn::transformer_block<D, double> nothing(
        zero.root(), {.channels = 4, .heads = 2, .embedding = features, .start = nn::initial::zero});
    zero.p.allocate(key(1));
    const auto x = zero.random({2, 3, 4});
    CHECK(to_host(nothing(V(x), {.embedding = features ? embedding : V()}).value()) == to_host(x));
  }
}

TEST_CASE("a stack of transformer blocks with each kind of position") {
  for (const auto kind : {nn::position::none, nn::position::learned, nn::position::sinusoidal, nn::position::rotary}) {
    bench b;
    const nn::transformer<D, double> stack(
        b.root(), {.block = {.channels = 4, .heads = 1, .hidden = 3}, .depth = 2, .positions = kind, .grid = {1, 3}});
    b.check({2, 1, 3, 4}, {2, 1, 3, 4}, [&](const V& x) { return stack(x); });
    if (kind != nn::position::none)
      CHECK_THROWS_WITH(stack(V(b.random({2, 4, 4}))), "positions: x is (2, 4, 4), expected 3 tokens of grid (1, 3)");
  }
}

TEST_CASE("sinusoidal positions of a grid") {
  D device;
  const auto p = nn::sinusoidal_positions<double>(device, {3, 5}, 8);
  REQUIRE(p.shape() == extents{15, 8});
  const double* at = p.data() + (2 * 5 + 3) * 8;  // row 2, column 3
  const double expected[] = {std::cos(2.0), std::cos(0.02), std::sin(2.0), std::sin(0.02),
                             std::cos(3.0), std::cos(0.03), std::sin(3.0), std::sin(0.03)};
  for (int i = 0; i < 8; ++i) CHECK(at[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  CHECK_THROWS_WITH(nn::sinusoidal_positions<double>(device, {3, 5}, 6),
                    "sinusoidal_positions: 6 features do not divide over grid (3, 5), expected a multiple of 4");
}

TEST_CASE("random Fourier features resemble numbers that are near, and only those") {
  D device;
  const nn::sinusoidal<D, double> f(device, {.features = 512, .scale = 0.5, .law = nn::frequency_law::normal});
  const auto v = to_host(f(from_host<double>(device, {3}, std::vector<double>{1.0, 1.2, 5.0})));
  const auto likeness = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += v[a * 512 + i] * v[b * 512 + i] / 256;
    return sum;
  };
  // The mean of cos(w d) over normal w is exp(-(2 pi scale d)^2 / 2); 256 draws of it deviate by less than 0.05 each.
  CHECK(likeness(0, 0) == doctest::Approx(1));
  CHECK(std::abs(likeness(0, 1) - std::exp(-0.5 * std::pow(2 * 3.141592653589793 * 0.5 * 0.2, 2))) < 0.1);
  CHECK(std::abs(likeness(0, 2)) < 0.2);
  CHECK_THROWS_WITH(f(zeros<double>(device, {2, 1})), "sinusoidal: x is (2, 1), expected (B)");
}

TEST_CASE("the embedding of noise level and class") {
  bench b;
  const nn::noise_embedding<D, double> embed(b.root(), {.features = 3, .sinusoids = {.features = 4}, .classes = 2});
  const auto noise = b.random({2});
  const auto label = from_host<std::int32_t>(b.device, {2}, std::vector<std::int32_t>{1, 2});
  CHECK(b.p.count() == 4 * 3 + 3 + 3 * 3 + 3 + 3 * 3);
  b.ready();
  const auto x = b.random({2, 3});
  // Through a product with x, so that x has a gradient too.
  const auto f = [&](const V& v) { return mul(v, embed(v, noise, label)); };
  CHECK_THROWS_WITH(embed(V(x), b.random({3}), label), "noise_embedding: the noise level is (3), expected (2)");
  CHECK_THROWS_WITH(embed(V(x), noise), "noise_embedding: no class given, expected (2)");

  b.p.zero_gradient();
  tape<D> t;
  t.backward(sum(f(t.watch(x))));
  const auto& table = entry_of(b.p.entries(), "class/weight");
  const double* gradient = b.p.part(b.p.gradient(), table).data();
  for (int i = 0; i < 3; ++i) CHECK(gradient[i] == 0);  // class 0 is not in the batch
  for (int i = 3; i < 9; ++i) CHECK(gradient[i] != 0);

  const auto all = from_host<std::int32_t>(b.device, {3}, std::vector<std::int32_t>{0, 1, 2});
  const auto three = b.random({3}, 7);
  check_gradients(b.p, b.random({3, 3}), [&](const V& v) { return mul(v, embed(v, three, all)); });
}

}  // namespace ul::test
