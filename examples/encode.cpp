// Writes the latents of a data set, and how many bits each tells, as NPY arrays.
//
//   encode --model models/fashion.safetensors --data idx:fashion-mnist --out latents

#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/data/pictures.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/io/npy.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/latent/model_file.hpp>

#include "command.hpp"

namespace {

struct options {
  std::string model, data, out = "latents", split = "held-out";
  ul::extent count = 0, batch = 64, draws = 8, threads = 0;
  std::uint64_t seed = 1;
  bool noisy = false, force = false;
};

int run(const options& o) {
  const std::string latents_path = o.out + ".npy", bits_path = o.out + "-bits.npy";
  check_output(latents_path, o.force);
  check_output(bits_path, o.force);
  ul::cpu device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  const ul::data_split data = open_data(o.data);
  const ul::any_set& set = o.split == "train" ? data.train : data.held_out;
  if (!set)
    ul::fail_as(ul::error_kind::input, ul::printable(o.data), ": holds no pictures to train on, only those held out");
  check_pictures(o.data, set.extents(), model.config().image);
  const ul::extent count = o.count > 0 ? std::min(o.count, set.size()) : set.size();

  std::vector<float> latents, bits;
  for (ul::extent first = 0; first < count; first += o.batch) {
    const ul::extent n = std::min(o.batch, count - first);
    std::vector<std::uint64_t> seeds;
    std::vector<std::int32_t> labels;
    for (ul::extent i = first; i < first + n; ++i) {
      seeds.push_back(o.seed + static_cast<std::uint64_t>(i));
      labels.push_back(static_cast<std::int32_t>(ul::label_of(set, i)));
    }
    const std::vector<ul::key> keys = ul::sample_keys(seeds);
    const auto z = ul::encode(model, ul::pictures_of(device, set, first, n));
    for (const double nats : ul::latent_nats(model, z, std::span<const ul::key>(keys), ul::latent_source::best,
                                             std::span<const std::int32_t>(labels), o.draws))
      bits.push_back(static_cast<float>(ul::bits(nats)));
    const auto values = ul::to_host(o.noisy ? ul::noisy_latent(model, z, std::span<const ul::key>(keys)) : z);
    latents.insert(latents.end(), values.begin(), values.end());
  }
  const ul::extents latent = model.config().latent();
  ul::write_npy(latents_path, latents.data(), ul::npy_type::float32, {count, latent[0], latent[1], latent[2]});
  ul::write_npy(bits_path, bits.data(), ul::npy_type::float32, {count});
  std::cout << latents_path << '\n' << bits_path << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Writes the latents of a data set and their bits.");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", o.model, "a model.safetensors")->required();
  app.add_option("--data", o.data, "KIND:PATH with galaxies (no path), idx, cifar10, shards, folder or npy")
      ->required();
  app.add_option("--split", o.split, "which of its pictures")->check(CLI::IsMember({"train", "held-out"}));
  app.add_option("--out", o.out, "OUT.npy (N, h, w, c) and OUT-bits.npy (N) are written");
  app.add_flag("--force", o.force, "replace arrays that are there");
  app.add_option("--count", o.count, "pictures; 0: all")->check(CLI::Range(0, 1000000000));
  app.add_flag("--noisy", o.noisy, "z_0 at unit variance, with its noise, instead of z_clean");
  app.add_option("--draws", o.draws, "noise levels for a picture's bits")->check(CLI::Range(1, 100000));
  app.add_option("--seed", o.seed, "of the first picture's noise; the next has the next one");
  app.add_option("--batch", o.batch, "pictures at once; it changes nothing")->check(CLI::Range(1, 65536));
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
