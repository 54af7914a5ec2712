// Trains the small classifier whose features sets of pictures are compared by, tests it on held-out pictures, and
// writes it to a file.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ul/backend/cpu.hpp>
#include <ul/data/loader.hpp>
#include <ul/data/memory_set.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/classifier_file.hpp>
#include <ul/metric/feature_table.hpp>
#include <ul/op/cross_entropy.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/adam.hpp>
#include <ul/train/rate.hpp>

#include "command.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

struct options {
  std::string data = "galaxies:count=4000", out = "classifier.safetensors";
  ul::extent steps = 0, batch = 64, threads = 0;
  double epochs = 9, rate = 2e-3;
  std::uint64_t seed = 1;
  bool force = false;
};

// Throws ul::error when there are no pictures, or none with labels.
ul::byte_set labelled(const options& o, const ul::any_set& set) {
  if (!set) ul::fail_as(ul::error_kind::input, ul::printable(o.data), ": holds no pictures to train on");
  if (set.classes() < 1) ul::fail_as(ul::error_kind::input, ul::printable(o.data), ": the pictures have no labels");
  return ul::in_memory(set);
}

int train(const options& o) {
  check_output(o.out, o.force);
  const ul::data_split data = open_data(o.data);
  const ul::byte_set set = labelled(o, data.train), held_out = labelled(o, data.held_out);
  ul::cpu device{{.threads = o.threads}};
  const ul::classifier_config config{.image = set.extents(), .classes = set.classes()};
  ul::parameters<ul::cpu, float> parameters(device);
  const ul::classifier<ul::cpu, float> net(parameters.root(), config);
  const ul::key seed(o.seed);
  parameters.allocate(seed.split(0));
  const double items = o.epochs * static_cast<double>(set.size());
  const ul::extent steps =
      o.steps > 0 ? o.steps : std::max<ul::extent>(1, std::lround(items / static_cast<double>(o.batch)));
  std::printf("%td parameters, %td features, %td classes, %td pictures, %td steps, %td threads\n", parameters.count(),
              config.features, config.classes, set.size(), steps, device.threads());

  ul::adam<ul::cpu, float> optimiser(parameters, {.beta2 = 0.99, .decay = 0.05});
  ul::ema<ul::cpu, float> average(parameters, ul::warm_up_average{.decay = 0.999});
  const ul::cosine_rate rate{.peak = o.rate, .warm_up = steps / 20, .steps = steps};
  ul::loader batches(set, ul::order(set.size(), seed.split(1)), {.batch = o.batch}, ul::random_flip{});

  const auto start = clock_type::now();
  const auto seconds = [&] { return std::chrono::duration<double>(clock_type::now() - start).count(); };
  double last_line = 0;
  for (ul::extent step = 0; step < steps; ++step) {
    const ul::batch& b = batches.next();
    const std::vector<std::int32_t> labels(b.labels.begin(), b.labels.end());
    parameters.zero_gradient();
    ul::tape<ul::cpu> tape;
    const auto seen = net(tape.constant(ul::from_host<float>(device, b.shape, b.values)));
    const auto loss = ul::mean(ul::cross_entropy(seen.logits, ul::from_host<std::int32_t>(device, {o.batch}, labels)));
    tape.backward(loss);
    optimiser.step({.rate = rate(step)}, average);
    if (step + 1 == steps || seconds() - last_line > 2) {
      last_line = seconds();
      std::printf("step %5td/%td  %6.1f s  loss %.4f  %.0f images/s\n", step + 1, steps, last_line,
                  static_cast<double>(ul::to_scalar(loss.value())),
                  static_cast<double>((step + 1) * o.batch) / last_line);
      std::fflush(stdout);
    }
  }

  ul::save_classifier(o.out, config, parameters, average.average());
  const auto saved = ul::load_classifier<float>(device, o.out);
  const auto table = ul::features_of<float>(device, saved, held_out.extents(), held_out.size(),
                                            [&](ul::extent i, float* out) { held_out.read(i, out); });
  std::vector<ul::extent> labels;
  for (ul::extent i = 0; i < held_out.size(); ++i) labels.push_back(held_out.label(i));
  const ul::measurement accuracy = ul::measured(ul::recognised(table.classes(), labels));
  std::printf("accuracy %.2f %% (standard error %.2f) on %td held-out pictures\n%s\n", 100 * accuracy.value,
              100 * accuracy.standard_error, held_out.size(), o.out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Trains a small classifier, whose features are what sets of pictures are compared by.");
  app.option_defaults()->always_capture_default();
  app.add_option("--data", o.data, "KIND:PATH with galaxies (no path), idx, cifar10, shards, folder or npy");
  app.add_option("--out", o.out, "the file for the classifier");
  app.add_flag("--force", o.force, "replace a file that is there");
  app.add_option("--epochs", o.epochs, "passes over the data")->check(CLI::PositiveNumber);
  app.add_option("--steps", o.steps, "of training; 0: --epochs counts")->check(CLI::Range(0, 10000000));
  app.add_option("--batch", o.batch, "pictures in a step")->check(CLI::Range(1, 65536));
  app.add_option("--rate", o.rate, "the peak learning rate")->check(CLI::PositiveNumber);
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  app.add_option("--seed", o.seed, "of weights, order and augmentation");
  return run_command(app, argc, argv, [&] { return train(o); });
}
