// Shows what a model's decoder makes of the latents of held-out pictures: a row of pictures above a row of
// reconstructions, and so on.
//
//   reconstruct --model models/fashion.safetensors --data idx:fashion-mnist --out reconstructions.png

#include <chrono>
#include <functional>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/data/pictures.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/io/grid.hpp>
#include <ul/io/png.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/latent/model_file.hpp>
#include <ul/metric/psnr.hpp>

#include "command.hpp"
#include "sampling.hpp"

namespace {

struct options {
  std::string model, data, out = "reconstructions.png";
  ul::extent count = 16, first = 0, columns = 8, scale = 2, threads = 0;
  sampling how;
  std::uint64_t seed = 1;
  bool force = false;
};

int run(options o) {
  check_output(o.out, o.force);
  ul::cpu device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  const ul::any_set set = open_data(o.data).held_out;
  check_pictures(o.data, set.extents(), model.config().image);
  if (o.first >= set.size())
    ul::fail("--first is ", o.first, ", but there are ", set.size(), " pictures, counted from 0");
  o.count = std::min(o.count, set.size() - o.first);
  const auto x = ul::pictures_of(device, set, o.first, o.count);
  std::vector<std::uint64_t> seeds;
  std::vector<std::int32_t> labels;
  for (ul::extent i = 0; i < o.count; ++i) {
    seeds.push_back(o.seed + static_cast<std::uint64_t>(i));
    labels.push_back(static_cast<std::int32_t>(ul::label_of(set, o.first + i)));
  }
  const std::vector<ul::key> keys = ul::sample_keys(seeds);

  const auto start = std::chrono::steady_clock::now();
  const auto made = ul::reconstruct(model, x, std::span<const ul::key>(keys), o.how.resolved().decoder);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double nats = 0;
  for (const double each : ul::latent_nats(model, ul::encode(model, x), std::span<const ul::key>(keys),
                                           ul::latent_source::best, std::span<const std::int32_t>(labels)))
    nats += each / static_cast<double>(o.count);

  const std::vector<float> originals = ul::to_host(x), decoded = ul::to_host(made);
  std::vector<float> rows;
  for (ul::extent i = 0; i < o.count; i += o.columns)
    for (const auto& from : {std::cref(originals), std::cref(decoded)})
      rows.insert(rows.end(), from.get().begin() + i * set.extents().size(),
                  from.get().begin() + std::min(i + o.columns, o.count) * set.extents().size());
  ul::write_png(o.out, ul::grid(rows.data(), x.shape().with(0, 2 * o.count), o.columns, {.scale = o.scale}));
  std::cout << ul::bits(nats) / static_cast<double>(model.config().pixels()) << " bits/pixel, PSNR "
            << ul::picture_psnr(decoded, originals, set.extents().size()).mean() << " dB, "
            << seconds / static_cast<double>(o.count) << " s a picture\n"
            << o.out << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Shows reconstructions of held-out pictures by a Unified Latents model.");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", o.model, "a model.safetensors")->required();
  app.add_option("--data", o.data, "KIND:PATH with galaxies (no path), idx, cifar10, shards, folder or npy")
      ->required();
  app.add_option("--out", o.out, "the PNG to write");
  app.add_flag("--force", o.force, "replace a PNG that is there");
  app.add_option("--count", o.count, "pictures, as far as there are")->check(CLI::Range(1, 65536));
  app.add_option("--first", o.first, "the first of those held out")->check(CLI::Range(0, 1000000000));
  app.add_option("--seed", o.seed, "of the first picture's noise; the next has the next one");
  o.how.add_decoder_to(app);
  app.add_option("--columns", o.columns, "pictures in a row")->check(CLI::Range(1, 100000));
  app.add_option("--scale", o.scale, "pixels for a pixel")->check(CLI::Range(1, 64));
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
