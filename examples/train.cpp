// Trains a small Unified Latents autoencoder (stage 1) and shows what it learnt: reconstructions of held-out pictures
// and samples from the prior, as PNG grids.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <ul/backend/cpu.hpp>
#include <ul/data/galaxies.hpp>
#include <ul/data/idx_set.hpp>
#include <ul/data/memory_set.hpp>
#include <ul/data/order.hpp>
#include <ul/io/gzip.hpp>
#include <ul/io/grid.hpp>
#include <ul/io/png.hpp>
#include <ul/latent/sample.hpp>
#include <ul/metric/psnr.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/clip.hpp>
#include <ul/train/ema.hpp>
#include <ul/train/guard.hpp>
#include <ul/train/rate.hpp>

namespace {

constexpr ul::extent timed_steps = 20;

using clock_type = std::chrono::steady_clock;
double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

struct options {
  std::string data = "galaxies", out = "runs/train";
  ul::extent steps = 2000, batch = 32, threads = 0;
  double seconds = 0, rate = 1e-3;
  std::uint64_t seed = 1;
  bool force = false;
};

template <ul::data_set Set>
ul::tensor<ul::cpu, float> batch_of(ul::cpu& device, const Set& set, const std::vector<ul::extent>& items) {
  const ul::extents item = set.extents();
  std::vector<float> values(items.size() * static_cast<std::size_t>(item.size()));
  for (std::size_t i = 0; i < items.size(); ++i)
    set.read(items[i], values.data() + i * static_cast<std::size_t>(item.size()));
  return ul::from_host<float>(device, {static_cast<ul::extent>(items.size()), item[0], item[1], item[2]}, values);
}

template <ul::data_set Set>
int train(const options& o, const Set& set, const Set& held_out) {
  ul::cpu device{{.threads = o.threads}};
  ul::latent_config config{.image = set.extents()};
  ul::latent_model<ul::cpu> model(device, config);
  const auto& nets = model.stage1.networks;
  auto& parameters = model.stage1.weights;
  ul::latent_scale& scale = model.stage1.scale;
  const ul::key seed(o.seed);
  parameters.allocate(seed.split(0));
  std::printf("%td parameters, latents (%td, %td, %td), %td pictures, %td threads\n", parameters.count(),
              config.latent()[0], config.latent()[1], config.latent()[2], set.size(), device.threads());

  ul::adam<ul::cpu, float> optimiser(parameters, {.beta2 = 0.99});
  ul::ema<ul::cpu, float> average(parameters, ul::warm_up_average{.decay = 0.995});
  ul::finite_guard guard;
  const ul::order order(set.size(), seed.split(1));
  ul::extent steps = o.steps;  // with --seconds, as many as fit, known once some are timed
  const auto rate_at = [&](ul::extent step) {
    const ul::extent warm_up = std::min<ul::extent>(200, steps / 10);
    return ul::linear_rate{.peak = o.rate, .warm_up = warm_up, .from = steps / 2, .steps = steps}(step);
  };
  const double unit = static_cast<double>(config.pixels()) * ul::nats_per_bit;

  const auto start = clock_type::now();
  double last_line = 0;
  for (ul::extent step = 0; step < steps; ++step) {
    if (step == timed_steps && o.seconds > 0)
      steps = std::max(step, static_cast<ul::extent>(o.seconds / seconds_since(start) * static_cast<double>(step)));
    std::vector<ul::extent> items;
    for (ul::extent i = 0; i < o.batch; ++i) items.push_back(order(step * o.batch + i));
    const auto x = batch_of(device, set, items);

    parameters.zero_gradient();
    ul::tape<ul::cpu> tape;
    const ul::batch_draw draw{seed.split(2).fold_in(static_cast<std::uint64_t>(step)), 0, o.batch};
    const auto losses = ul::stage1_loss(nets, tape.constant(x), scale, draw);
    const auto total = losses.total(unit);
    tape.backward(total);
    const double loss = static_cast<double>(ul::to_scalar(total.value())), norm = ul::gradient_norm(parameters);
    if (guard.admits(loss, norm))
      optimiser.step({.rate = rate_at(step), .gradient_scale = ul::clip_scale(norm, 1)}, average);

    const double now = seconds_since(start);
    if (step < 5 || now - last_line > 2) {
      last_line = now;
      const double nats = losses.latent_nats();
      std::printf("step %5td/%td  %6.1f s  loss %8.4f  %8.2f bits/image  %.4f bits/pixel  rms %.3f  %.0f images/s\n", step, steps, now,
                  loss, ul::bits(nats), ul::bits(nats) / static_cast<double>(config.pixels()), scale.rms(),
                  static_cast<double>((step + 1) * o.batch) / now);
      std::fflush(stdout);
    }
  }

  const ul::averaged_weights<ul::cpu, float> smooth(parameters, average);
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < 32; ++i) seeds.push_back(i);
  const std::vector<ul::key> keys = ul::sample_keys(seeds);
  std::vector<ul::extent> items;
  for (ul::extent i = 0; i < 32; ++i) items.push_back(i);
  const auto originals = batch_of(device, held_out, items);
  const auto reconstructions = ul::reconstruct(model, originals, keys);
  const auto samples = ul::sample(model, {.seeds = seeds});
  const std::vector<float> made = ul::to_host(reconstructions);
  std::vector<float> wanted = ul::to_host(originals);
  const double own = ul::psnr(made, wanted, 2);
  std::rotate(wanted.begin(), wanted.begin() + set.extents().size(), wanted.end());
  std::printf("PSNR of reconstructions %.2f dB, of the next picture's %.2f dB\n", own, ul::psnr(made, wanted, 2));
  const auto write = [&](const char* name, const ul::tensor<ul::cpu, float>& x) {
    const std::string path = (std::filesystem::path(o.out) / name).string();
    ul::write_png(path, ul::grid(ul::to_host(x).data(), x.shape(), 8, {.scale = 2}));
    std::printf("%s\n", path.c_str());
  };
  write("originals.png", originals);
  write("reconstructions.png", reconstructions);
  write("samples.png", samples);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Trains a small Unified Latents autoencoder and shows its reconstructions and samples.");
  app.add_option("--data", o.data, "what to train on: galaxies (built in) or idx:DIRECTORY")->capture_default_str();
  app.add_option("--out", o.out, "the directory for what is made")->capture_default_str();
  app.add_option("--steps", o.steps, "steps of training")->capture_default_str()->check(CLI::Range(1, 10000000));
  app.add_option("--seconds", o.seconds, "train for about so many seconds instead of --steps")->capture_default_str();
  app.add_option("--batch", o.batch, "pictures in a step")->capture_default_str()->check(CLI::Range(1, 65536));
  app.add_option("--rate", o.rate, "the peak learning rate")->capture_default_str();
  app.add_option("--threads", o.threads, "threads; 0: one for each core")->capture_default_str();
  app.add_option("--seed", o.seed, "of weights, order and noise")->capture_default_str();
  app.add_flag("--force", o.force, "write into a directory that exists");
  CLI11_PARSE(app, argc, argv);
  try {
    if (std::filesystem::exists(o.out) && !o.force) ul::fail("train: ", o.out, " exists; --force writes into it");
    std::filesystem::create_directories(o.out);
    if (o.data.starts_with("idx:")) {
      const std::string directory = o.data.substr(4);
      return train(o, ul::read_idx_set(directory, "train", ul::gunzip), ul::read_idx_set(directory, "t10k", ul::gunzip));
    }
    if (o.data == "galaxies") {
      const ul::extent count = o.seconds > 0 ? 10000 : std::min<ul::extent>(10000, o.steps * o.batch);
      return train(o, ul::in_memory(ul::galaxies({.count = count, .seed = o.seed})),
                   ul::in_memory(ul::galaxies({.count = 32, .seed = o.seed + 1})));
    }
    ul::fail("train: --data is ", o.data, ", expected galaxies or idx:DIRECTORY");
  } catch (const ul::error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
}
