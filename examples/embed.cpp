// The library in a program of one's own: load a model, sample 16 pictures, write them as one PNG.

#include <ul/compiled.hpp>
#include <ul/ul.hpp>

#include "command.hpp"

namespace {

int run(const std::string& path, const std::string& out, bool force) {
  check_output(out, force);
  ul::cpu device;                                                   // threads, SIMD, memory
  const auto model = ul::load(device, path);                        // networks and their config, one file
  const auto images = ul::sample(model, {.count = 16, .seed = 7});  // (16, H, W, C), values in [-1, 1]
  ul::write_png(out, ul::grid(images, 4));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path = "models/fashion.safetensors", out = "samples.png";
  bool force = false;
  CLI::App app("Samples 16 pictures from a model.");
  app.option_defaults()->always_capture_default();
  app.add_option("model", path, "a model.safetensors");
  app.add_option("out", out, "the PNG to write");
  app.add_flag("--force", force, "replace a PNG that is there");
  return run_command(app, argc, argv, [&] { return run(path, out, force); });
}
