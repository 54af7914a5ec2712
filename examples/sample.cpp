// Samples pictures from a model into one PNG, which keeps the settings they were made with. A picture depends on its
// seed and class alone.
//
//   sample --model models/fashion.safetensors --count 64 --seed 1 --out samples.png

#include <chrono>
#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/io/grid.hpp>
#include <ul/io/png.hpp>
#include <ul/latent/model_file.hpp>

#include "command.hpp"
#include "sampling.hpp"

namespace {

struct options {
  std::string model, out = "samples.png";
  sampling how;
  ul::extent columns = 8, scale = 2, threads = 0;
  bool force = false;
};

int run(const options& o) {
  check_output(o.out, o.force);
  ul::cpu device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  ul::sample_options s = o.how.resolved();
  check_guidance(model, s);
  s.seeds = ul::seeds_of(s);
  if (s.classes.empty() && ul::uses_base(model, s.source) && model.config().classes > 0)
    for (std::size_t i = 0; i < s.seeds.size(); ++i)
      s.classes.push_back(static_cast<ul::extent>(i) % model.config().classes);

  const auto start = std::chrono::steady_clock::now();
  const auto pictures = ul::sample(model, s);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ul::json made = to_json(o.how);
  made.set("model", std::filesystem::path(o.model).filename().string());
  made.set("seeds", ul::json::array(s.seeds.begin(), s.seeds.end()));
  made.set("classes", ul::json::array(s.classes.begin(), s.classes.end()));
  ul::write_png(o.out, ul::grid(pictures, o.columns, {.scale = o.scale}), {.text = {{"ul", ul::to_text(made)}}});
  std::cout << s.seeds.size() << " pictures in " << seconds << " s, " << seconds / static_cast<double>(s.seeds.size())
            << " s each\n"
            << o.out << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  o.how.options.count = 64;
  o.how.options.seed = 1;
  CLI::App app("Samples pictures from a Unified Latents model.");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", o.model, "a model.safetensors")->required();
  app.add_option("--out", o.out, "the PNG to write");
  app.add_flag("--force", o.force, "replace a PNG that is there");
  app.add_option("--count", o.how.options.count, "pictures")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", o.how.options.seed, "of the first picture; the next has the next one");
  app.add_option("--seeds", o.how.options.seeds, "a seed for each picture instead, such as 7,9,30")
      ->delimiter(',')
      ->excludes("--count")
      ->excludes("--seed");
  app.add_option("--classes", o.how.options.classes, "a class for all pictures, or one for each; default: all in turn")
      ->delimiter(',');
  o.how.add_to(app);
  app.add_option("--columns", o.columns, "pictures in a row")->check(CLI::Range(1, 100000));
  app.add_option("--scale", o.scale, "pixels for a pixel")->check(CLI::Range(1, 64));
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
