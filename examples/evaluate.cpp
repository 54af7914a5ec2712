// Measures a model on held-out pictures: bits of the latents, reconstructions, and, with a classifier's features,
// Fréchet distances, precision and recall, and how many samples show the class that was asked for.
//
//   evaluate --model models/fashion.safetensors --data idx:fashion-mnist --classifier
//   models/fashion-classifier.safetensors

#include <chrono>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/data/pictures.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/latent/latent_bits.hpp>
#include <ul/latent/model_file.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/classifier_file.hpp>
#include <ul/metric/feature_table.hpp>
#include <ul/metric/frechet.hpp>
#include <ul/metric/precision_recall.hpp>
#include <ul/metric/psnr.hpp>
#include <ul/metric/ssim.hpp>

#include "command.hpp"
#include "sampling.hpp"

namespace {

using device_type = ul::cpu;

struct options {
  std::string model, data, classifier, json = "evaluation.json";
  sampling how;
  ul::extent count = 0, samples = -1, draws = 8, threads = 0;
  std::uint64_t seed = 1;
  bool force = false;
};

ul::json object_of(const ul::measurement& e) {
  return ul::json::object{{"value", e.value}, {"standard_error", e.standard_error}};
}

// The model, what it is measured on, and what sees the pictures, if anything.
struct evaluation {
  device_type& device;
  const ul::latent_model<device_type>& model;
  ul::any_set set;
  std::optional<ul::classifier<device_type, float>> see;
  ul::sample_options how;
  ul::extent count, draws;

  ul::feature_table features(std::span<const float> pictures) const {
    return ul::features_of<float>(device, *see, pictures, shape(pictures));
  }
  ul::extents shape(std::span<const float> pictures) const {
    const ul::extents item = set.extents();
    return {static_cast<ul::extent>(pictures.size()) / item.size(), item[0], item[1], item[2]};
  }
};

struct measured_reconstructions {
  ul::sample_mean prior_nats, base_nats, psnr, ssim;
  std::vector<float> originals, made;
};

void append(std::vector<float>& to, const ul::tensor<device_type, float>& x) {
  for (const float v : ul::to_host(x)) to.push_back(std::clamp(v, -1.0f, 1.0f));
}

measured_reconstructions reconstructions(const evaluation& e) {
  measured_reconstructions r;
  const ul::extents item = e.set.extents();
  for (ul::extent first = 0; first < e.count; first += e.how.batch) {
    const ul::extent n = std::min(e.how.batch, e.count - first);
    std::vector<std::uint64_t> seeds;
    std::vector<std::int32_t> labels;
    for (ul::extent i = first; i < first + n; ++i) {
      seeds.push_back(e.how.seed + static_cast<std::uint64_t>(i));
      labels.push_back(static_cast<std::int32_t>(ul::label_of(e.set, i)));
    }
    const std::vector<ul::key> keys = ul::sample_keys(seeds);
    const auto k = std::span<const ul::key>(keys);
    const auto l = std::span<const std::int32_t>(labels);
    const auto x = ul::pictures_of(e.device, e.set, first, n);
    const auto z = ul::encode(e.model, x);
    for (const double nats : ul::latent_nats(e.model, z, k, ul::latent_source::prior, l, e.draws))
      r.prior_nats.add(nats);
    if (e.model.stage2)
      for (const double nats : ul::latent_nats(e.model, z, k, ul::latent_source::base, l, e.draws))
        r.base_nats.add(nats);
    append(r.originals, x);
    append(r.made, ul::decode(e.model, ul::noisy_latent(e.model, z, k), k, e.how.decoder));
    for (ul::extent i = first; i < first + n; ++i) {
      const auto at = static_cast<std::size_t>(i * item.size()), size = static_cast<std::size_t>(item.size());
      const auto a = std::span<const float>(r.made).subspan(at, size),
                 b = std::span<const float>(r.originals).subspan(at, size);
      r.psnr.add(ul::psnr(a, b, 2));
      r.ssim.add(ul::ssim(a, b, item));
    }
  }
  return r;
}

ul::json bits_of(const evaluation& e, const ul::sample_mean& nats) {
  return ul::json::object{{"per_pixel", object_of(ul::bits_per(nats, e.model.config().pixels()))},
                          {"per_latent_dimension", object_of(ul::bits_per(nats, e.model.config().latent().size()))},
                          {"per_picture", object_of(ul::bits_per(nats, 1))}};
}

// Samples, their classes in turn, beside the features of as many real pictures as there are.
ul::json samples(const evaluation& e, const ul::feature_table& real, ul::extent count) {
  ul::sample_options o = e.how;
  o.count = count;
  const bool told = ul::uses_base(e.model, o.source) && e.model.config().classes > 0;
  for (ul::extent i = 0; told && i < count; ++i) o.classes.push_back(i % e.model.config().classes);
  const auto start = std::chrono::steady_clock::now();
  std::vector<float> pictures;
  append(pictures, ul::sample(e.model, o));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const ul::feature_table made = e.features(pictures);
  const auto pr = ul::precision_recall(real.values(), made.values(), real.features());
  ul::json result = ul::json::object{{"count", count},
                                     {"seconds_each", seconds / static_cast<double>(count)},
                                     {"gfd", ul::frechet_distance(real.values(), made.values(), real.features())},
                                     {"precision", pr.precision},
                                     {"recall", pr.recall}};
  if (told) result.set("recognised", object_of(ul::measured(ul::recognised(made.classes(), o.classes))));
  return result;
}

ul::json measure(const evaluation& e, ul::extent sample_count) {
  const measured_reconstructions r = reconstructions(e);
  ul::json all = ul::json::object{{"pictures", e.count},
                                  {"bits_by_prior", bits_of(e, r.prior_nats)},
                                  {"psnr", object_of(ul::measured(r.psnr))},
                                  {"ssim", object_of(ul::measured(r.ssim))}};
  if (e.model.stage2) all.set("bits_by_base", bits_of(e, r.base_nats));
  if (!e.see) return all;
  const ul::feature_table real = e.features(r.originals), made = e.features(r.made);
  all.set("rfd", ul::frechet_distance(real.values(), made.values(), real.features()));
  std::vector<ul::extent> labels;
  for (ul::extent i = 0; i < e.count; ++i) labels.push_back(ul::label_of(e.set, i));
  all.set("classifier_accuracy", object_of(ul::measured(ul::recognised(real.classes(), labels))));
  all.set("reconstructions_recognised", object_of(ul::measured(ul::recognised(made.classes(), labels))));
  if (sample_count > 0) all.set("samples", samples(e, real, sample_count));
  return all;
}

int run(const options& o) {
  check_output(o.json, o.force);
  device_type device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  evaluation e{.device = device,
               .model = model,
               .set = open_data(o.data).held_out,
               .see = {},
               .how = o.how.resolved(),
               .count = 0,
               .draws = o.draws};
  if (e.set.extents() != model.config().image)
    ul::fail(o.data, ": pictures are ", e.set.extents(), ", the model expects ", model.config().image);
  e.how.seed = o.seed;
  e.count = o.count > 0 ? std::min(o.count, e.set.size()) : e.set.size();
  if (!o.classifier.empty()) e.see.emplace(ul::load_classifier<float>(device, o.classifier));
  ul::json all = measure(e, o.samples < 0 ? e.count : o.samples);
  all.set("model", std::filesystem::path(o.model).filename().string());
  all.set("data", o.data);
  all.set("seed", o.seed);
  all.set("sampling", to_json(o.how));
  const std::string text = ul::to_text(all, 2) + '\n';
  ul::write_file(o.json, text);
  std::cout << text << o.json << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Measures a Unified Latents model on held-out pictures.");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", o.model, "a model.safetensors")->required();
  app.add_option("--data", o.data, "KIND:PATH with galaxies (no path), idx, cifar10, shards, folder or npy")
      ->required();
  app.add_option("--classifier", o.classifier, "whose features compare pictures; without it, bits and errors only");
  app.add_option("--json", o.json, "the file of results");
  app.add_flag("--force", o.force, "replace a file that is there");
  app.add_option("--count", o.count, "held-out pictures; 0: all")->check(CLI::Range(0, 1000000000));
  app.add_option("--samples", o.samples, "pictures to sample; -1: as many as held-out pictures");
  app.add_option("--draws", o.draws, "noise levels for a picture's bits")->check(CLI::Range(1, 100000));
  app.add_option("--seed", o.seed, "of the first picture; the next has the next one");
  o.how.add_to(app);
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
