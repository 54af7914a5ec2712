// Layers against figures of the public test suite of huggingface/diffusers (tests/models/test_layers_utils.py, commit
// 58eb52c): inputs and parameters are PyTorch's draws from seed 0, in the order the layer makes its parameters; the
// figures are the last 3x3 corner of the last channel.

#include <ul/backend/cpu.hpp>
#include <ul/nn/attention.hpp>
#include <ul/nn/conv_transpose.hpp>
#include <ul/nn/mlp.hpp>
#include <ul/nn/resnet_block.hpp>
#include <ul/nn/sinusoidal.hpp>
#include <ul/nn/transformer_block.hpp>
#include <ul/op/pool.hpp>
#include <ul/op/resize.hpp>

#include "support.hpp"

namespace ul::test {
namespace {

using host = cpu;

// Draws what the layers of one test are made of.
struct replay {
  host& device;
  torch_stream stream{0};

  // torch's (1, C, H, W) as (1, H, W, C).
  tensor<host, float> image(extent channels, extent side) {
    const auto v = drawn_normal(stream, channels * side * side);
    return from_host<float>(device, {1, side, side, channels}, swapped(v, channels, side * side));
  }
  tensor<host, float> vector(extent features) {
    return from_host<float>(device, {1, features}, drawn_normal(stream, features));
  }

  // A convolution's weight (out, in, k, k), or a transposed one's (in, out, k, k), to (k, k, in, out) or (k, k, out,
  // in).
  void conv(const parameters<host, float>& p, const std::string& path, extent first, extent second, extent k,
            extent fan_in) {
    const auto v = drawn_uniform(stream, first * second * k * k, fan_in);
    std::vector<float> weight(v.size());
    for (extent f = 0; f < first; ++f)
      for (extent s = 0; s < second; ++s)
        for (extent i = 0; i < k * k; ++i)
          weight[static_cast<std::size_t>((i * second + s) * first + f)] =
              v[static_cast<std::size_t>((f * second + s) * k * k + i)];
    write(p, path + "/weight", weight);
  }
  void conv3(const parameters<host, float>& p, const std::string& path, extent in, extent out) {
    conv(p, path, out, in, 3, 9 * in);
    write(p, path + "/bias", drawn_uniform(stream, out, 9 * in));
  }
  std::vector<float> matrix(extent in, extent out) { return swapped(drawn_uniform(stream, in * out, in), out, in); }
  void linear(const parameters<host, float>& p, const std::string& path, extent in, extent out) {
    write(p, path + "/weight", matrix(in, out));
    write(p, path + "/bias", drawn_uniform(stream, out, in));
  }
};

template <class Y>
void check_corner(const Y& y, const std::vector<double>& expected) {
  const auto v = to_host(y);
  const extent H = y.shape()[1], W = y.shape()[2], C = y.shape()[3];
  for (extent i = 0; i < 9; ++i) {
    const extent at = ((H - 3 + i / 3) * W + W - 3 + i % 3) * C + C - 1;
    CHECK(std::abs(static_cast<double>(v[static_cast<std::size_t>(at)]) - expected[static_cast<std::size_t>(i)]) <
          1e-3);
  }
}

nn::resnet_options resnet32(nn::resampling resample) {
  return {.in = 32, .embedding = 128, .resample = resample, .groups = 32, .eps = 1e-6};
}

void check_resnet(nn::resampling resample, const std::vector<double>& expected) {
  host device;
  replay r{device};
  const auto x = r.image(32, 64), embedding = r.vector(128);
  parameters<host, float> p(device);
  const nn::resnet_block<host, float> block(p.root(), resnet32(resample));
  p.allocate(key(0));
  r.conv3(p, "conv1", 32, 32);
  r.linear(p, "embed", 128, 32);
  r.conv3(p, "conv2", 32, 32);
  check_corner(block(x, {.embedding = silu(embedding)}).value(), expected);
}

}  // namespace

TEST_CASE("sinusoidal features of times") {
  host device;
  std::vector<float> times;
  for (int i = 0; i < 128; ++i) times.push_back(static_cast<float>(i));
  const auto x = from_host<float>(device, {128}, times);
  const auto check = [&](const nn::sinusoidal_options& o, const std::vector<double>& expected) {
    const auto v = to_host(nn::sinusoidal<host, float>(device, o)(x));
    for (std::size_t i = 0; i < 9; ++i) {
      const double figure = expected[i];
      CHECK(std::abs(static_cast<double>(v[(23 + i / 3) * 64 + 47 + i % 3]) - figure) < 1e-3 * std::abs(figure));
    }
  };
  using order = nn::sinusoid_order;
  check({.features = 64, .scale = 1, .shift = 1, .order = order::sine_cosine},
        {0.9646, 0.9804, 0.9892, 0.9615, 0.9787, 0.9882, 0.9582, 0.9769, 0.9872});
  check({.features = 64, .scale = 1}, {0.3019, 0.2280, 0.1716, 0.3146, 0.2377, 0.1790, 0.3272, 0.2474, 0.1864});
  check({.features = 64, .scale = 1000, .shift = 1, .order = order::sine_cosine},
        {-0.9801, -0.9464, -0.9349, -0.3952, 0.8887, -0.9709, 0.5299, -0.2853, -0.9927});
}

TEST_CASE("nearest neighbours twice as large, plain and with a convolution") {
  host device;
  replay r{device};
  const auto x = r.image(32, 32);
  check_corner(resize(x, {64, 64}, interpolation::nearest),
               {-0.2173, -1.2079, -1.2079, 0.2952, 1.1254, 1.1254, 0.2952, 1.1254, 1.1254});

  parameters<host, float> p(device);
  const nn::resize_conv<host, float> up(p.root(), 32, 32);
  p.allocate(key(0));
  r.conv3(p, "", 32, 32);
  check_corner(up(x).value(), {0.7145, 1.3773, 0.3492, 0.8448, 1.0839, -0.3341, 0.5956, 0.1250, -0.4841});
}

TEST_CASE("a transposed convolution of 4x4 and stride 2") {
  host device;
  replay r{device};
  const auto x = r.image(32, 32);
  parameters<host, float> p(device);
  const nn::conv_transpose<host, float> up(p.root(), 32, 32);
  p.allocate(key(0));
  r.conv(p, "", 32, 32, 4, 512);
  write(p, "bias", drawn_uniform(r.stream, 32, 512));
  check_corner(up(x).value(), {-0.3028, -0.1582, 0.0071, 0.0350, -0.4799, -0.1139, 0.1056, -0.1153, -0.1046});
}

TEST_CASE("half the resolution, by averages and by a convolution of stride 2") {
  host device;
  replay r{device};
  const auto x = r.image(32, 64);
  check_corner(avg_pool(x, 2), {-0.0513, -0.3889, 0.0640, 0.0836, -0.5460, -0.0341, -0.0169, -0.6967, 0.1179});

  parameters<host, float> p(device);
  const nn::downsample<host, float> down(p.root(), 32, 32);
  p.allocate(key(0));
  r.conv3(p, "", 32, 32);
  check_corner(down(x).value(), {0.9267, 0.5878, 0.3337, 1.2321, -0.1191, -0.3984, -0.7532, -0.0715, -0.3913});
}

TEST_CASE("a residual block") {
  check_resnet(nn::resampling::none, {-1.9010, -0.2974, -0.8245, -1.3533, 0.8742, -0.9645, -2.0584, 1.3387, -0.4746});
}

TEST_CASE("a residual block that doubles the resolution") {
  check_resnet(nn::resampling::up, {1.2130, -0.8753, -0.9027, 1.5783, -0.5362, -0.5001, 1.0726, -0.7732, -0.4182});
}

TEST_CASE("a transformer over the positions of a feature map") {
  host device;
  replay r{device};
  const auto x = r.image(32, 64);
  parameters<host, float> p(device);
  const auto root = p.root();
  const nn::group_norm<host, float> norm(root / "norm", 32, {.groups = 32, .eps = 1e-6});
  const nn::linear<host, float> in(root / "in", 32, 32), out(root / "out", 32, 32);
  const nn::transformer_block<host, float> block(
      root / "block", {.channels = 32, .heads = 1, .mlp = nn::mlp_kind::geglu, .qkv_bias = false});
  p.allocate(key(0));

  r.linear(p, "in", 32, 32);
  std::vector<float> q = r.matrix(32, 32), k = r.matrix(32, 32), v = r.matrix(32, 32), qkv;
  for (std::ptrdiff_t row = 0; row < 32; ++row)
    for (const auto* part : {&q, &k, &v})
      qkv.insert(qkv.end(), part->begin() + row * 32, part->begin() + (row + 1) * 32);
  write(p, "block/attention/qkv/weight", qkv);
  r.linear(p, "block/attention/out", 32, 32);
  r.linear(p, "block/mlp/in", 32, 256);
  r.linear(p, "block/mlp/out", 128, 32);
  r.linear(p, "out", 32, 32);

  const var<host, float> tokens = reshape(in(norm(x)), {1, 64 * 64, 32});
  check_corner(add(out(reshape(block(tokens), x.shape())), x).value(),
               {-1.9455, -0.0066, -1.3933, -1.5878, 0.5325, -0.6486, -1.8648, 0.7515, -0.9689});
}

}  // namespace ul::test
