// Plans against FLOPs counted by hand and against the tensors a step on the CPU really takes.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include <ul/backend/cpu.hpp>
#include <ul/latent/plan_text.hpp>
#include <ul/latent/presets.hpp>
#include <ul/nn/u_net.hpp>
#include <ul/train/adam.hpp>

using namespace ul;

namespace {

// Multiply-adds, each two FLOPs, of one sample.
constexpr std::int64_t conv(std::int64_t side, std::int64_t in, std::int64_t out) { return side * side * 9 * in * out; }
constexpr std::int64_t linear(std::int64_t rows, std::int64_t in, std::int64_t out) { return rows * in * out; }
constexpr std::int64_t attention(std::int64_t tokens, std::int64_t width) {
  return linear(tokens, width, 4 * width) + 2 * tokens * tokens * width;
}
constexpr std::int64_t residual(std::int64_t side, std::int64_t in, std::int64_t out) {
  return conv(side, in, out) + conv(side, out, out) + linear(1, 256, out) +
         (in == out ? 0 : linear(side * side, in, out));
}

template <class Network, class Options>
std::int64_t forward_flops(const Options& o, const extents& shape) {
  planner device;
  parameters<planner, float> p(device);
  const Network f(p.root(), o);
  p.allocate();
  f(var<planner, float>(tensor<planner, float>(device, shape)), {.noise = tensor<planner, float>(device, {shape[0]})});
  return device.flops();
}

// The CPU, counting the bytes of its tensors apart from what its kernels take for themselves.
struct counting_cpu : cpu {
  extent in_use = 0, most = 0;

  void* allocate(extent bytes) {
    in_use += bytes;
    most = (std::max)(most, in_use);
    return cpu::allocate(bytes);
  }
  void deallocate(void* p, extent bytes) {
    in_use -= bytes;
    cpu::deallocate(p, bytes);
  }
};

latent_config small() {
  return {.image = {12, 12, 3},
          .classes = 3,
          .channels = 2,
          .encoder = {.patch = 2, .channels = {8, 16}, .blocks = 1, .last_blocks = 1},
          .prior = {.channels = 16, .blocks = 1, .heads = 2},
          .decoder = {.patch = 2, .channels = {8}, .blocks = 1, .middle_channels = 16, .middle_blocks = 1, .heads = 2},
          .base = {.channels = {16}, .blocks = {2}, .head_depth = 8}};
}

}  // namespace

TEST_CASE("the U-Net of the comparison: FLOPs counted layer by layer") {
  const nn::u_net_options o{.in = 3,
                            .channels = {64, 128, 256},
                            .attention = {2},
                            .noise = {.features = 256, .sinusoids = {.features = 64, .scale = 1000}}};
  constexpr std::int64_t noise = linear(1, 64, 256) + linear(1, 256, 256);
  constexpr std::int64_t down = conv(32, 3, 64) + 2 * residual(32, 64, 64) + conv(16, 64, 64) + residual(16, 64, 128) +
                                residual(16, 128, 128) + conv(8, 128, 128);
  constexpr std::int64_t middle = residual(8, 128, 256) + residual(8, 256, 256) + 2 * attention(64, 256);
  constexpr std::int64_t up = conv(16, 256, 128) + residual(16, 256, 128) + residual(16, 128, 128) + conv(32, 128, 64) +
                              residual(32, 128, 64) + residual(32, 64, 64) + conv(32, 64, 3);
  constexpr std::int64_t flops = 2 * (noise + down + middle + up);
  static_assert(flops > 2'045'000'000 && flops < 2'055'000'000);
  CHECK(forward_flops<nn::u_net<planner, float>>(o, {1, 32, 32, 3}) == flops);
  CHECK(forward_flops<nn::u_net<planner, float>>(o, {32, 32, 32, 3}) == 32 * flops);
}

TEST_CASE("the DiT of the comparison: FLOPs counted layer by layer") {
  const nn::vit_options o{
      .grid = {16, 16},
      .in = 8,
      .noise = {.features = 384, .sinusoids = {.scale = 1000}},
      .stack = {.block = {.channels = 384, .heads = 6}, .depth = 6, .positions = nn::position::learned}};
  constexpr std::int64_t d = 384, tokens = 256;
  constexpr std::int64_t block = linear(1, d, 6 * d) + attention(tokens, d) + 2 * linear(tokens, d, 4 * d);
  constexpr std::int64_t flops =
      2 * (linear(1, 256, d) + linear(1, d, d) + 2 * linear(tokens, 8, d) + 6 * block + linear(1, d, 2 * d));
  static_assert(flops > 6'045'000'000 && flops < 6'055'000'000);
  CHECK(forward_flops<nn::vit<planner, float>>(o, {1, 16, 16, 8}) == flops);
}

TEST_CASE("a plan's parameters and bytes are those of a step on the CPU") {
  constexpr extent batch = 4;
  const latent_config c = small();
  const latent_plan planned = plan(c, {.batch = batch});
  counting_cpu device;
  autoencoder<counting_cpu, float> m(device, c);
  CHECK(m.weights.count() == (planned.encoder + planned.prior + planned.decoder).parameters);
  m.weights.allocate();
  m.weights.zero_gradient();
  adam<counting_cpu, float> optimiser(m.weights);
  ema<counting_cpu, float> average(m.weights, constant_average{});
  device.most = device.in_use;
  device.memory().reset_peak();
  {
    tape<counting_cpu> t;
    const auto x = t.constant(normal<float>(device, {batch, 12, 12, 3}, key(1)));
    const auto loss = stage1_loss(m.networks, x, m.scale, {key(2), 0, batch});
    t.backward(loss.total(1));
  }
  optimiser.step({}, average);
  CHECK(device.most == planned.stage1.bytes);
  // The kernels' own.
  CHECK(device.memory().peak() >= planned.stage1.bytes);
  MESSAGE("with the kernels' own: ", device.memory().peak() - planned.stage1.bytes, " bytes more");
}

TEST_CASE("a training step costs three forward passes but for gradients nobody wants") {
  for (const std::string_view name : latent_preset_names) {
    const latent_plan p = plan(latent_preset(name), {.batch = 2});
    CAPTURE(name);
    for (const step_plan& s : {p.stage1, p.stage2}) {
      CHECK(s.counted <= s.flops);
      CHECK(static_cast<double>(s.counted) > 0.99 * static_cast<double>(s.flops));
    }
    const std::int64_t outer = p.encoder.flops + p.prior.flops + p.decoder.flops;
    CHECK(p.stage1.flops == 3 * outer);
    CHECK(p.stage2.flops == 3 * p.base.flops);
  }
}

TEST_CASE("a sample costs every step of both samplers, and guidance a second pass") {
  const latent_config c = small();
  plan_options o{.batch = 3, .sampling = {.latent_steps = 5, .latent_sampler = sampler_kind::ddim}};
  o.sampling.decoder = {.steps = 7, .sampler = sampler_kind::ddim};
  const latent_plan plain = plan(c, o);
  CHECK(plain.sample.flops == 5 * plain.base.flops + 8 * plain.decoder.flops);  // the last to the clean picture
  o.sampling.guidance.scale = 2;
  CHECK(plan(c, o).sample.flops == plain.sample.flops + 5 * plain.base.flops);
  o.sampling.source = latent_source::prior;
  CHECK(plan(c, o).sample.flops == plain.sample.flops - 5 * plain.base.flops + 5 * plain.prior.flops);
}

TEST_CASE("bytes grow with the batch, parameters and FLOPs of a sample do not") {
  const latent_plan one = plan(small(), {.batch = 1}), eight = plan(small(), {.batch = 8});
  CHECK(eight.total().parameters == one.total().parameters);
  CHECK(eight.stage1.counted == one.stage1.counted);
  CHECK(eight.sample.flops == one.sample.flops);
  CHECK(eight.stage1.bytes > one.stage1.bytes);
  CHECK(eight.sample.bytes > one.sample.bytes);
}

TEST_CASE("the paper's sizes are planned in no time") {
  const auto start = std::chrono::steady_clock::now();
  const latent_plan p = plan(latent_preset("paper-512"), {.batch = 1024});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  CHECK(p.total().parameters > 600'000'000);
  CHECK(p.stage1.bytes > extent{1} << 40);
}

TEST_CASE("a plan reads as a table") {
  const std::string text = to_text(plan(small(), {.batch = 4}));
  for (const std::string part : {"encoder", "base model", "46130", "memory, 4", "50 + 20 steps", " kFLOP", " KiB"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK_THROWS_WITH_AS(plan(small(), {.batch = 0}), "plan: batch is 0, expected at least 1", error);
}
