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
#include <ul/latent/sample.hpp>

#include "command.hpp"

namespace {

struct options {
  std::string model, out = "samples.png", source = "best", latent_sampler, decoder_sampler;
  ul::sample_options sample{.count = 64, .seed = 1};
  ul::extent columns = 8, scale = 2, threads = 0;
  bool force = false;
};

ul::json settings_of(const options& o) {
  const ul::sample_options& s = o.sample;
  return ul::json::object{{"model", std::filesystem::path(o.model).filename().string()},
                          {"seeds", ul::json::array(s.seeds.begin(), s.seeds.end())},
                          {"classes", ul::json::array(s.classes.begin(), s.classes.end())},
                          {"source", o.source},
                          {"steps", s.latent_steps},
                          {"sampler", ul::name_of(s.latent_sampler)},
                          {"guidance", s.guidance.scale},
                          {"decoder_steps", s.decoder.steps},
                          {"decoder_sampler", ul::name_of(s.decoder.sampler)}};
}

int run(options o) {
  check_output(o.out, o.force);
  ul::cpu device{{.threads = o.threads}};
  const auto model = ul::load(device, o.model);
  ul::sample_options& s = o.sample;
  s.source = o.source == "base"    ? ul::latent_source::base
             : o.source == "prior" ? ul::latent_source::prior
                                   : ul::latent_source::best;
  if (!o.latent_sampler.empty()) s.latent_sampler = ul::sampler_named(o.latent_sampler);
  if (!o.decoder_sampler.empty()) s.decoder.sampler = ul::sampler_named(o.decoder_sampler);
  s.seeds = ul::seeds_of(s);
  // By default every class in turn.
  const ul::extent classes = model.stage2 && s.source != ul::latent_source::prior ? model.config().classes : 0;
  if (s.classes.empty() && classes > 0)
    for (std::size_t i = 0; i < s.seeds.size(); ++i) s.classes.push_back(static_cast<ul::extent>(i) % classes);

  const auto start = std::chrono::steady_clock::now();
  const auto pictures = ul::sample(model, s);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ul::write_png(o.out, ul::grid(pictures, o.columns, {.scale = o.scale}),
                {.text = {{"ul", ul::to_text(settings_of(o))}}});
  std::cout << s.seeds.size() << " pictures in " << seconds << " s, " << seconds / static_cast<double>(s.seeds.size())
            << " s each\n"
            << o.out << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Samples pictures from a Unified Latents model.");
  app.add_option("--model", o.model, "a model.safetensors")->required();
  app.add_option("--out", o.out, "the PNG to write");
  app.add_flag("--force", o.force, "replace a PNG that is there");
  app.add_option("--count", o.sample.count, "pictures")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", o.sample.seed, "of the first picture; the next has the next one");
  app.add_option("--seeds", o.sample.seeds, "a seed for each picture instead, such as 7,9,30")->delimiter(',');
  app.add_option("--classes", o.sample.classes, "a class for all pictures, or for each; default: all in turn")
      ->delimiter(',');
  app.add_option("--source", o.source, "who makes the latents")->check(CLI::IsMember({"best", "base", "prior"}));
  app.add_option("--steps", o.sample.latent_steps, "of the latents' sampler")->check(CLI::Range(1, 100000));
  app.add_option("--sampler", o.latent_sampler, "of the latents");
  app.add_option("--guidance", o.sample.guidance.scale, "1: none");
  app.add_option("--decoder-steps", o.sample.decoder.steps, "of the decoder's sampler")->check(CLI::Range(1, 100000));
  app.add_option("--decoder-sampler", o.decoder_sampler, "of the pictures");
  app.add_option("--batch", o.sample.batch, "pictures at once; it changes none")->check(CLI::Range(1, 65536));
  app.add_option("--columns", o.columns, "pictures in a row")->check(CLI::Range(1, 100000));
  app.add_option("--scale", o.scale, "pixels for a pixel")->check(CLI::Range(1, 64));
  app.add_option("--threads", o.threads, "0: one for each core")->check(CLI::Range(0, 1024));
  return run_command(app, argc, argv, [&] { return run(o); });
}
