// Whether the bits a model reports are the information there is. Pictures that are one of K patterns, all as likely,
// hold log2 K bits. A model whose reconstructions are all right keeps every one of them, and the prior's bound cannot
// be lower; how much higher it is says how well the prior knows the latents.

#include <bit>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/metric/bits.hpp>
#include <ul/train/ema.hpp>
#include <ul/train/stage1_trainer.hpp>

#include "command.hpp"

namespace {

constexpr std::size_t side = 4, pixels = side * side;
constexpr int apart = 4;  // pixels in which any two patterns differ, at least

struct options {
  ul::extent patterns = 64, steps = 3000, rounds = 200;
  std::uint64_t seed = 1;
};

// Black and white pictures by chance (K, 16).
std::vector<float> draw_patterns(ul::extent count, ul::key k) {
  std::vector<unsigned> kept;
  for (std::uint64_t i = 0; static_cast<ul::extent>(kept.size()) < count; ++i) {
    const auto drawn = static_cast<unsigned>(ul::uniform_at<double>(k, i) * (1u << pixels));
    if (std::all_of(kept.begin(), kept.end(), [&](unsigned other) { return std::popcount(drawn ^ other) >= apart; }))
      kept.push_back(drawn);
  }
  std::vector<float> values;
  for (const unsigned pattern : kept)
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) values.push_back((pattern >> pixel & 1) != 0 ? 1.0f : -1.0f);
  return values;
}

// A latent of 8 numbers at one position.
ul::latent_config small_model() {
  return {.image = {side, side, 1},
          .channels = 8,
          .noise_logsnr = 2,
          .encoder = {.patch = side, .channels = {64}, .last_blocks = 1},
          .prior = {.channels = 64, .blocks = 2, .heads = 2, .logsnr_min = -7},
          .decoder = {.patch = side,
                      .channels = {},
                      .middle_channels = 64,
                      .middle_blocks = 2,
                      .heads = 2,
                      .dropout = 0,
                      .logsnr_max = 3,
                      .logsnr_min = -5,
                      .bias = 2,
                      .loss_factor = 4}};
}

std::vector<ul::key> keys_of_round(ul::key k, ul::extent round, ul::extent count) {
  std::vector<ul::key> keys;
  for (ul::extent i = 0; i < count; ++i) keys.push_back(k.fold_in(static_cast<std::uint64_t>(round * count + i)));
  return keys;
}

std::size_t nearest(const float* picture, const std::vector<float>& patterns) {
  const auto distance = [&](std::size_t k) {
    double sum = 0;
    for (std::size_t i = 0; i < pixels; ++i) sum += std::pow(picture[i] - patterns[k * pixels + i], 2);
    return sum;
  };
  std::size_t best = 0;
  for (std::size_t k = 1; k < patterns.size() / pixels; ++k)
    if (distance(k) < distance(best)) best = k;
  return best;
}

int run(const options& o) {
  ul::cpu device;
  const ul::key seed(o.seed);
  const std::vector<float> patterns = draw_patterns(o.patterns, seed.split(0));
  const auto x = ul::from_host<float>(device, {o.patterns, side, side, 1}, patterns);
  const ul::extent copies = std::max<ul::extent>(1, 128 / o.patterns), batch = copies * o.patterns;
  ul::tensor<ul::cpu, float> all(device, {batch, side, side, 1});
  for (ul::extent i = 0; i < copies; ++i)
    device.copy(all.rows(i * o.patterns, o.patterns).data(), x.data(), x.size() * ul::extent{sizeof(float)});

  ul::latent_model<ul::cpu> model(device, small_model());
  model.stage1.weights.allocate(seed.split(1));
  ul::stage1_trainer<ul::cpu, float> trainer(model.stage1, {.steps = o.steps, .rate = 2e-3}, seed.split(2));
  for (ul::extent step = 0; step < o.steps; ++step) trainer.step(step, all);
  const ul::averaged_weights<ul::cpu, float> smooth(model.stage1.weights, trainer.state().average());

  const auto z = ul::encode(model, x);
  ul::sample_mean nats;
  for (ul::extent round = 0; round < o.rounds; ++round)
    for (const double each :
         ul::latent_nats(model, z, keys_of_round(seed.split(3), round, o.patterns), ul::latent_source::prior, {}))
      nats.add(each);
  const ul::measurement bits = ul::bits_per(nats, 1);

  ul::extent right = 0, shown = 0;
  for (ul::extent round = 0; round < 4; ++round) {
    const auto made = ul::to_host(ul::reconstruct(model, x, keys_of_round(seed.split(4), round, o.patterns)));
    for (std::size_t k = 0; k < patterns.size() / pixels; ++k, ++shown)
      if (nearest(made.data() + k * pixels, patterns) == k) ++right;
  }

  const double information = std::log2(static_cast<double>(o.patterns));
  std::cout << o.patterns << " patterns, " << information << " bits\n"
            << bits.value << " +- " << bits.standard_error << " bits by the prior\n"
            << right << " of " << shown << " reconstructions are nearest to their own pattern\n";
  const bool bounds = bits.value >= information - 3 * bits.standard_error && bits.value <= 1.25 * information;
  return right == shown && bounds ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Compares the bits a model reports with the information there is. Exit code 1: they do not fit.");
  app.option_defaults()->always_capture_default();
  app.add_option("--patterns", o.patterns, "how many")->check(CLI::Range(2, 64));
  app.add_option("--steps", o.steps, "of training")->check(CLI::Range(1, 1000000));
  app.add_option("--rounds", o.rounds, "in which the bits of every pattern are measured")->check(CLI::Range(1, 100000));
  app.add_option("--seed", o.seed, "of patterns, weights and noise");
  return run_command(app, argc, argv, [&] { return run(o); });
}
