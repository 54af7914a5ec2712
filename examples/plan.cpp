// Tells what a model costs before anything of it is allocated: parameters, FLOPs and memory.
//
//   plan --preset fashion --batch 64 --set decoder.middle_channels=256
//   plan --config runs/fashion/config.json
//   plan --model models/fashion.safetensors

#include <ul/latent/model_file.hpp>
#include <ul/latent/plan_text.hpp>
#include <ul/latent/presets.hpp>
#include <ul/train/settings_json.hpp>

#include "command.hpp"
#include "sampling.hpp"

namespace {

struct options {
  std::string preset = "tiny", config, model;
  std::vector<std::string> changes;
  sampling how;
};

// From a file that holds the config of a model, or the settings of a run, whose model it is.
ul::latent_config read_config(const std::string& path) {
  const ul::json all = ul::read_json(path);
  return all.find("model") ? ul::run_settings_from(all, path).model : ul::latent_config_from(all, path);
}

ul::latent_config asked_for(const options& o) {
  if (!o.config.empty()) return read_config(o.config);
  if (o.model.empty()) return ul::latent_preset(o.preset);
  ul::planner device;
  return ul::load(device, o.model).config();
}

int run(const options& o) {
  ul::json config = ul::to_json(asked_for(o));
  for (const std::string& change : o.changes) config = ul::with_setting(config, change);
  const ul::sample_options sampling = o.how.resolved();
  std::cout << ul::to_text(ul::plan(ul::latent_config_from(config), {.batch = sampling.batch, .sampling = sampling}));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  o.how.options.batch = 32;
  CLI::App app("Tells what a model costs before anything of it is allocated.");
  app.option_defaults()->always_capture_default();
  app.add_option("--preset", o.preset, "sizes by name: tiny, fashion, cifar, paper-512");
  app.add_option("--config", o.config, "sizes from a JSON file: of a model, or a run's config.json")
      ->excludes("--preset");
  app.add_option("--model", o.model, "the sizes of a model.safetensors")->excludes("--preset")->excludes("--config");
  app.add_option("--set", o.changes, "another size, key=value, such as prior.blocks=8")->allow_extra_args(false);
  o.how.add_to(app);
  return run_command(app, argc, argv, [&] { return run(o); });
}
