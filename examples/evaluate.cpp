// Measures a model on held-out pictures: bits of the latents, reconstructions, and, with a classifier's features,
// Fréchet distances, precision and recall, and how many samples show the class that was asked for.
//
//   evaluate --model models/fashion.safetensors --data idx:fashion-mnist
//            --classifier models/fashion-classifier.safetensors

#include <chrono>
#include <optional>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/latent/model_file.hpp>
#include <ul/metric/classifier_file.hpp>
#include <ul/metric/feature_table.hpp>
#include <ul/metric/frechet.hpp>
#include <ul/metric/precision_recall.hpp>
#include <ul/train/evaluation.hpp>

#include "command.hpp"
#include "sampling.hpp"

namespace {

using model_type = ul::latent_model<ul::cpu>;
using net_type = ul::classifier<ul::cpu, float>;

struct options {
  std::string model, data, classifier, json = "evaluation.json";
  sampling how;
  ul::evaluation_options evaluation;
  ul::extent samples = -1, threads = 0;
  bool force = false;
};

ul::json object_of(const ul::measurement& m) {
  return ul::json::object{{"value", m.value}, {"standard_error", m.standard_error}};
}
ul::json object_of(const ul::sample_mean& m) { return object_of(ul::measured(m)); }

ul::json bits_of(const model_type& m, const ul::sample_mean& nats) {
  return ul::json::object{{"per_pixel", object_of(ul::bits_per(nats, m.config().pixels()))},
                          {"per_latent_dimension", object_of(ul::bits_per(nats, m.config().latent().size()))},
                          {"per_picture", object_of(ul::bits_per(nats, 1))}};
}

double distance(const ul::feature_table& a, const ul::feature_table& b) {
  return ul::frechet_distance(a.values(), b.values(), a.features());
}

// Sets the figures that values() returns; when it cannot, as with too few pictures, each is null with the reason beside
// it, so that nothing else that was measured is lost.
template <class Values>
void measure(ul::json& to, const std::vector<std::string>& names, const Values& values) {
  ul::json::array measured(names.size());
  std::string reason;
  try {
    measured = values();
  } catch (const ul::error& e) {
    reason = e.what();
  }
  for (std::size_t i = 0; i < names.size(); ++i) to.set(names[i], measured[i]);
  if (!reason.empty()) to.set(names[0] + "_left_out", reason);
}

// Samples, their classes in turn, against the features of real pictures. see: host pictures -> features.
template <class See>
ul::json samples(const model_type& m, ul::sample_options o, const ul::feature_table& real, const See& see) {
  if (ul::uses_base(m, o.source) && m.config().classes > 0)
    for (ul::extent i = 0; i < o.count; ++i) o.classes.push_back(i % m.config().classes);
  const auto start = std::chrono::steady_clock::now();
  std::vector<float> pictures;
  ul::append_clamped(pictures, ul::sample(m, o));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const ul::feature_table made = see(pictures);
  ul::json result = ul::json::object{{"count", o.count}, {"seconds_each", seconds / static_cast<double>(o.count)}};
  measure(result, {"gfd"}, [&] { return ul::json::array{distance(real, made)}; });
  measure(result, {"precision", "recall"}, [&] {
    const auto pr = ul::precision_recall(real.values(), made.values(), real.features());
    return ul::json::array{pr.precision, pr.recall};
  });
  if (!o.classes.empty()) result.set("recognised", object_of(ul::recognised(made.classes(), o.classes)));
  return result;
}

// net: null, or the classifier.
ul::json figures(const options& o, ul::cpu& device, const model_type& model, const net_type* net) {
  const ul::any_set set = open_data(o.data).held_out;
  check_pictures(o.data, set.extents(), model.config().image);
  const ul::evaluation e = ul::evaluate(model, set, o.evaluation);
  ul::json all = ul::json::object{
      {"pictures", e.shape[0]}, {"bits_by_prior", bits_of(model, e.prior_nats)}, {"psnr", object_of(e.psnr)}};
  if (e.base_nats) all.set("bits_by_base", bits_of(model, *e.base_nats));
  if (e.ssim.count() > 0) all.set("ssim", object_of(e.ssim));
  if (!net) return all;

  const auto see = [&](std::span<const float> pictures) {
    const auto count = static_cast<ul::extent>(pictures.size()) / e.shape.without(0).size();
    return ul::features_of<float>(device, *net, pictures, e.shape.with(0, count));
  };
  const ul::feature_table real = see(e.originals), decoded = see(e.decoded);
  measure(all, {"rfd"}, [&] { return ul::json::array{distance(real, decoded)}; });
  if (e.labels[0] >= 0) {
    all.set("classifier_accuracy", object_of(ul::recognised(real.classes(), e.labels)));
    all.set("reconstructions_recognised", object_of(ul::recognised(decoded.classes(), e.labels)));
  }
  ul::sample_options s = o.how.resolved();
  s.seed = o.evaluation.seed;
  s.count = o.samples < 0 ? e.shape[0] : o.samples;
  if (s.count > 0) all.set("samples", samples(model, s, real, see));
  return all;
}

int run(options o) {
  check_output(o.json, o.force);
  ul::cpu device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  std::optional<net_type> net;
  if (!o.classifier.empty()) {
    net = ul::load_classifier<float>(device, o.classifier);
    check_pictures(o.classifier, net->config().image, model.config().image);
  }
  const ul::sample_options sampling = o.how.resolved();
  check_guidance(model, sampling);
  o.evaluation.decoder = sampling.decoder;
  o.evaluation.batch = sampling.batch;
  ul::json all = figures(o, device, model, net ? &*net : nullptr);
  all.set("model", std::filesystem::path(o.model).filename().string());
  all.set("data", o.data);
  all.set("seed", o.evaluation.seed);
  all.set("sampling", to_json(o.how));
  const std::string text = ul::to_text(all, 2) + '\n';
  std::cout << text << std::flush;
  ul::write_file(o.json, text);
  std::cout << o.json << '\n';
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
  app.add_option("--count", o.evaluation.count, "held-out pictures; 0: all")->check(CLI::Range(0, 1000000000));
  app.add_option("--samples", o.samples, "pictures to sample; -1: as many as held-out pictures")
      ->check(CLI::Range(-1, 1000000000));
  app.add_option("--draws", o.evaluation.draws, "noise levels for a picture's bits")->check(CLI::Range(1, 100000));
  app.add_option("--seed", o.evaluation.seed, "of the first picture; the next has the next one");
  o.how.add_to(app);
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
