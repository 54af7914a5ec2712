// Trains a Unified Latents model, both stages, in a directory of its own that keeps its settings, metrics, pictures,
// checkpoints and the model; and goes on where it was stopped, by Ctrl-C or worse.
//
//   train --data idx:fashion-mnist --preset fashion --out runs/fashion
//   train --resume runs/fashion
//
// Stopped by a signal after saving it exits with 130 or 143; otherwise command.hpp says what its exit code means.

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/latent/plan.hpp>
#include <ul/train/fit_seconds.hpp>
#include <ul/train/run.hpp>
#include <ul/train/run_presets.hpp>

#include "command.hpp"

namespace {

ul::stop_flag stop;
volatile std::sig_atomic_t stopped_by = 0;

struct options {
  std::string data = "galaxies", preset = "tiny", out = "runs/train", resume, init_from, stage = "all";
  std::vector<std::string> changes;
  ul::extent steps = 0, threads = 0;
  double seconds = 0;
  std::uint64_t seed = 1;
  bool force = false;
};

ul::run_settings changed(const ul::run_settings& settings, const std::vector<std::string>& changes) {
  ul::json all = ul::to_json(settings);
  for (const std::string& change : changes) all = ul::with_setting(all, change);
  return ul::run_settings_from(all);
}

ul::run_settings settings_of(const options& o, const ul::data_split& data) {
  ul::run_settings s = ul::run_preset(o.preset, data);
  s.data = o.data;
  s.seed = o.seed;
  s.init_from = o.init_from;
  if (o.steps > 0) s.stage1.steps = s.stage2.steps = o.steps;
  if (o.stage == "1") s.stage2.steps = 0;
  if (o.stage == "2") s.stage1.steps = 0;
  s = changed(s, o.changes);
  if (s.data != o.data || s.preset != o.preset) ul::fail("--set: data and preset have options of their own");
  ul::require_fit(s, data);
  return s;
}

bool lies_in(const std::string& file, const std::string& directory) {
  std::error_code ignored;
  const auto inner = std::filesystem::weakly_canonical(file, ignored);
  const auto way = inner.lexically_relative(std::filesystem::weakly_canonical(directory, ignored));
  return !file.empty() && !way.empty() && *way.begin() != "..";
}

int train(const ul::run_directory& directory, const ul::run_settings& settings, const ul::data_split& data,
          ul::cpu& device) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  ul::progress_line progress(std::cerr, {.kind = terminal ? ul::stream_kind::terminal : ul::stream_kind::plain});
  const auto tell = [&](const std::string& text) {
    progress.finish();
    std::cerr << text << '\n';
  };
  const ul::latent_plan plan = ul::plan(settings.model, {.batch = settings.stage1.batch});
  tell(std::to_string(plan.total().parameters) + " parameters, " + std::to_string(data.train.size()) + " pictures, " +
       std::to_string(device.threads()) + " threads");
  ul::training_run<ul::cpu> run(device, directory, settings, data,
                                {.observers = {std::ref(progress)},
                                 .tell = tell,
                                 .stop = &stop,
                                 .stage1_flops = static_cast<double>(plan.stage1.flops),
                                 .stage2_flops = static_cast<double>(plan.stage2.flops)});
  const bool finished = run.train();
  progress.finish();
  std::cout << directory / directory.model_name << '\n';
  if (!finished) std::cerr << "stopped at step " << run.step() << "; train --resume " << directory.path() << '\n';
  return finished ? 0 : 128 + stopped_by;
}

int run(const options& o) {
  ul::cpu device{{.threads = o.threads}};
  if (!o.resume.empty()) {
    const auto directory = ul::run_directory::open(o.resume);
    const auto settings = changed(ul::run_settings_from(directory.config(), o.resume + "/config.json"), o.changes);
    return train(directory, settings, open_data(settings.data), device);
  }
  const ul::data_split data = open_data(o.data);
  ul::run_settings settings = settings_of(o, data);
  if (o.seconds > 0) settings = ul::fitted_to(o.seconds, device, settings, data);
  const auto existing = o.force ? ul::existing_run::replace : ul::existing_run::refuse;
  if (o.force && lies_in(settings.init_from, o.out))
    ul::fail(ul::printable(settings.init_from), ": --init-from lies in the run that --force would replace");
  ul::training_run<ul::cpu>::require_start(device, settings, data);
  return train(ul::run_directory::create(o.out, ul::to_json(settings), existing), settings, data, device);
}

// A signal lets the step finish and be saved; a second one ends at once. Nobody need read what is printed.
void listen() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) {
      stopped_by = number;
      stop.request();
      std::signal(number, SIG_DFL);
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Trains a Unified Latents model, or goes on with a run that was stopped.");
  app.option_defaults()->always_capture_default();
  app.add_option("--set", o.changes, "another setting, key=value, such as stage1.rate=5e-4")->allow_extra_args(false);
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  auto* resume =
      app.add_option("--resume", o.resume, "go on with the run in this directory")->group("A run that is there");
  app.option_defaults()->group("A new run");
  app.add_option("--data", o.data, "KIND:PATH: galaxies (no path), idx, cifar10, shards, folder or npy");
  app.add_option("--preset", o.preset, "sizes and settings: tiny, fashion, cifar, paper-512");
  app.add_option("--out", o.out, "the directory of the run");
  app.add_option("--steps", o.steps, "of each stage; 0: the preset's")->check(CLI::Range(0, 1000000000));
  app.add_option("--seconds", o.seconds, "as many steps as take about so long; 0: --steps counts");
  app.add_option("--seed", o.seed, "of weights, order and noise");
  app.add_option("--stage", o.stage, "1, 2 (needs --init-from) or all")->check(CLI::IsMember({"1", "2", "all"}));
  app.add_option("--init-from", o.init_from, "start with the weights of this model");
  app.add_flag("--force", o.force, "replace the run that is in the directory");
  return run_command(app, argc, argv, [&] {
    for (const auto* option : app.get_options([](const auto* each) { return each->get_group() == "A new run"; }))
      if (*resume && *option) ul::fail("--resume goes on with a run as it is, without ", option->get_name());
    listen();
    return run(o);
  });
}
