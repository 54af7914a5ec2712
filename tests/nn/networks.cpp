// Whole networks: their gradients over all parameters in double, and the two of the public comparison against PyTorch.

#include <ul/nn/ddpm_u_net.hpp>
#include <ul/nn/u_vit.hpp>

#include "../../benchmarks/compare/networks.hpp"
#include "support.hpp"

namespace ul::test {
namespace {

using D = reference;
using V = var<D, double>;
using ddpm_u_net = nn::ddpm_u_net<D, double>;
using u_net = nn::u_net<D, double>;
using u_vit = nn::u_vit<D, double>;
using vit = nn::vit<D, double>;

nn::u_net_options small_u_net() {
  return {.in = 3,
          .channels = {8, 16, 24},
          .attention = {2},
          .heads = 2,
          .noise = {.features = 12, .sinusoids = {.features = 6, .scale = 1000}},
          .block = {.groups = 4}};
}
nn::vit_options small_vit() {
  return {.grid = {4, 4},
          .in = 2,
          .noise = {.features = 12, .sinusoids = {.features = 10, .scale = 1000}},
          .stack = {.block = {.channels = 12, .heads = 3}, .depth = 2, .positions = nn::position::learned}};
}

// Numbers anybody can make anew: scale * ((hash of the name + i * 2654435761 mod 2^32) / 2^32 - 1/2) + offset.
std::vector<double> named(const std::string& name, extent count, double scale, double offset = 0) {
  std::vector<double> v;
  const std::uint64_t h = hash_of(name);
  for (extent i = 0; i < count; ++i) {
    const auto word = static_cast<std::uint32_t>(h + static_cast<std::uint64_t>(i) * 2654435761u);
    v.push_back(offset + scale * (word / 4294967296.0 - 0.5));
  }
  return v;
}

struct figures {
  extent parameters;
  double sum, squares;
  std::vector<double> some;  // elements 0, 1, 23, 50 and the last
};

// f(x, c) for named numbers everywhere.
template <class Network>
void check_against_torch(D& device, const store<double>& p, const Network& f, const extents& shape,
                         const figures& expected) {
  CHECK(p.count() == expected.parameters);
  for (const parameter_entry& e : p.entries()) write(p, e.path, named(e.path, e.shape.size(), 0.6));
  const auto x = from_host<double>(device, shape, named("x", shape.size(), 2));
  const auto y = to_host(f(x, {.noise = from_host<double>(device, {2}, named("t", 2, 1, 0.5))}).value());
  double total = 0, squares = 0;
  for (const double v : y) total += v, squares += v * v;
  CHECK(total == doctest::Approx(expected.sum).epsilon(1e-10));
  CHECK(squares == doctest::Approx(expected.squares).epsilon(1e-10));
  const std::size_t at[] = {0, 1, 23, 50, y.size() - 1};
  for (std::size_t i = 0; i < 5; ++i) CHECK(y[at[i]] == doctest::Approx(expected.some[i]).epsilon(1e-10));
}

template <class Network, class Options>
extent count_of(const Options& o) {
  D device;
  store<double> p(device);
  const Network network(p.root(), o);
  return p.count();
}

// The gradients of a network told noise levels, which starts from random parameters.
template <class Network, class Options>
void check_network(const Options& o, const extents& shape, typename Network::condition_type c = {}) {
  D device;
  store<double> p(device);
  const Network f(p.root(), o);
  p.allocate(key(3));
  shake(p, 0.4);
  if (o.noise.features != 0) c.noise = normal<double>(device, {shape[0]}, key(2));
  if (o.noise.classes != 0) {
    std::vector<std::int32_t> label;
    for (extent i = 0; i < shape[0]; ++i) label.push_back(static_cast<std::int32_t>(i));
    c.label = from_host<std::int32_t>(device, {shape[0]}, label);
  }
  const auto x = normal<double>(device, shape, key(1));
  CHECK(f(x, c).shape() == shape.with(-1, o.out != 0 ? o.out : o.in));
  check_gradients(p, x, [&](const V& v) { return f(v, c); });
}

}  // namespace

// Figures by PyTorch 1.13 in double: the networks as commonly written (NCHW convolutions, explicit softmax attention),
// with these numbers as parameters and inputs.
TEST_CASE("the U-Net of the comparison: parameters and function") {
  CHECK(count_of<u_net>(benchmark::peer_u_net()) == 5235459);
  D device;
  store<double> p(device);
  const u_net f(p.root(), small_u_net());
  p.allocate(key(0));
  check_against_torch(
      device, p, f, {2, 8, 8, 3},
      {60875,
       -3.51333152524885,
       17.9393775448889,
       {0.248238441712055, -0.054504922290311, -0.18024256486195, -0.221552048072651, -0.193113527068381}});
}

TEST_CASE("the DiT of the comparison: parameters and function") {
  CHECK(count_of<vit>(benchmark::peer_vit()) == 16606856);
  D device;
  store<double> p(device);
  const vit f(p.root(), small_vit());
  p.allocate(key(0));
  check_against_torch(
      device, p, f, {2, 4, 4, 2},
      {6398,
       3.5315327118004,
       20.4499532250343,
       {0.798855894115808, -0.290600655758774, 0.0960962910059625, 0.680661606514988, -0.00468974946653599}});
}

TEST_CASE("gradients of U-Nets: both kinds of skip, grids that do not halve, any number of axes") {
  nn::u_net_options o{.in = 1,
                      .out = 2,
                      .channels = {2, 4},
                      .blocks = 1,
                      .attention = {1},
                      .heads = 2,
                      .noise = {.features = 3, .sinusoids = {.features = 2, .scale = 1}},
                      .block = {.groups = 1}};
  check_network<u_net>(o, {2, 3, 2, 1});
  o.skip = nn::skip_kind::residual;
  o.noise.classes = 2;
  check_network<u_net>(o, {2, 3, 2, 1});
  o.block.axes = 1;
  o.noise = {};
  check_network<u_net>(o, {2, 5, 1});
}

// Ho, Jain and Abbeel 2020, appendix B: the CIFAR-10 model has 35.7 million parameters.
TEST_CASE("the U-Net with a skip after every block") {
  const nn::u_net_options cifar{.in = 3,
                                .channels = {128, 256, 256, 256},
                                .attention = {1},
                                .heads = 1,
                                .noise = {.features = 512, .sinusoids = {.features = 128, .scale = 1}},
                                .block = {.dropout = 0.1}};
  CHECK(count_of<ddpm_u_net>(cifar) == 35746307);
  nn::u_net_options o{.in = 1,
                      .channels = {2, 4},
                      .blocks = 1,
                      .attention = {0},
                      .heads = 2,
                      .noise = {.features = 3, .sinusoids = {.features = 2, .scale = 1}},
                      .block = {.groups = 1}};
  check_network<ddpm_u_net>(o, {2, 3, 2, 1});
  o.skip = nn::skip_kind::residual;
  CHECK_THROWS_WITH(count_of<ddpm_u_net>(o), "ddpm_u_net: residual skips, expected concat");
}

TEST_CASE("gradients of a ViT on patches") {
  check_network<vit>(nn::vit_options{.grid = {4, 2},
                                     .in = 1,
                                     .out = 2,
                                     .patch = 2,
                                     .noise = {.features = 3, .sinusoids = {.features = 2, .scale = 1}, .classes = 3},
                                     .stack = {.block = {.channels = 4, .heads = 1, .hidden = 3, .qk_norm = true},
                                               .positions = nn::position::rotary}},
                     {2, 4, 2, 1});
  check_network<vit>(nn::vit_options{.grid = {3}, .in = 2, .stack = {.block = {.channels = 2, .hidden = 3}}},
                     {1, 3, 2});
}

TEST_CASE("gradients of a UViT with a latent, and of a ViT of two levels") {
  nn::u_vit_options o{
      .grid = {4, 4},
      .in = 1,
      .patch = 2,
      .levels = {{.channels = 2, .blocks = 1}, {.channels = 4, .blocks = 1, .kind = nn::stage_kind::transformer}},
      .latent = 3,
      .noise = {.features = 3, .sinusoids = {.features = 2, .scale = 1}},
      .convolution = {.groups = 1},
      .transformer = {.hidden = 3},
      .head_depth = 2};
  D device;
  const V latent(normal<double>(device, {1, 1, 1, 3}, key(4)));
  check_network<u_vit>(o, {1, 4, 4, 1}, {.latent = latent});

  o.latent = 0;
  o.levels[0].kind = nn::stage_kind::transformer;
  check_network<u_vit>(o, {1, 4, 4, 1});
}

TEST_CASE("what networks say to bad input") {
  D device;
  store<double> p(device);
  const vit f(p.root() / "vit", small_vit());
  nn::u_vit_options o{.grid = {4, 4},
                      .in = 1,
                      .levels = {{.channels = 4, .kind = nn::stage_kind::transformer}},
                      .latent = 3,
                      .head_depth = 2};
  const u_vit g(p.root() / "u_vit", o);
  CHECK_THROWS_WITH(f(normal<double>(device, {1, 4, 4, 2}, key(1)), {.noise = normal<double>(device, {1}, key(1))}),
                    doctest::Contains("is used before allocate()"));
  p.allocate(key(0));
  const auto x = normal<double>(device, {1, 4, 4, 1}, key(1));
  CHECK_THROWS_WITH(f(normal<double>(device, {1, 4, 4, 2}, key(1))),
                    "noise_embedding: no noise level given, expected (1)");
  CHECK_THROWS_WITH(g(x), "u_vit: no latent given, expected one on the grid of (1, 4, 4, 4)");
  CHECK_THROWS_WITH(g(x, {.latent = V(normal<double>(device, {1, 2, 2, 3}, key(1)))}),
                    "u_vit: the latent is (1, 2, 2, 3), expected the grid of (1, 4, 4, 4)");
  o.grid = {4, 3};
  o.patch = 2;
  store<double> fresh(device);
  CHECK_THROWS_WITH(u_vit(fresh.root(), o), "patches: grid (4, 3) does not divide into patches of 2");
  CHECK_THROWS_WITH(u_net(fresh.root(), {.in = 3, .channels = {8}, .attention = {1}}),
                    "u_net: attention at level 1 of 1");
  CHECK_THROWS_WITH(u_net(fresh.root(), {.in = 3}), "u_net: no levels, expected the channels of at least one");
}

}  // namespace ul::test
