#pragma once
// Whole runs of a model that takes milliseconds, and the comparison of what they leave behind.

#include <cmath>
#include <filesystem>
#include <string>

#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/train/run.hpp>

#include "checkpoint_support.hpp"

namespace test {

// Pictures (8, 8, 1) of three classes: pure functions of their number. One may be broken.
struct stripes {
  ul::extent count = 40, broken = -1;

  ul::extent size() const { return count; }
  ul::extents extents() const { return {8, 8, 1}; }
  ul::extent classes() const { return 3; }
  ul::extent label(ul::extent i) const { return i % 3; }
  void read(ul::extent i, float* out) const {
    for (int p = 0; p < 64; ++p)
      out[p] = i == broken
                   ? NAN
                   : static_cast<float>(std::sin(static_cast<double>((i % 3 + 1) * p) * 0.4 + static_cast<double>(i)));
  }
};

inline ul::data_split data(ul::extent broken = -1) { return {stripes{40, broken}, stripes{9}}; }

inline ul::run_settings settings() {
  ul::run_settings s{.preset = "test", .data = "stripes", .seed = 7};
  s.model = {.image = {8, 8, 1},
             .classes = 3,
             .channels = 2,
             .encoder = {.patch = 2, .channels = {8, 8}, .blocks = 1, .last_blocks = 1},
             .prior = {.channels = 8, .blocks = 1, .heads = 1},
             .decoder = {.patch = 2,
                         .channels = {8},
                         .blocks = 1,
                         .middle_channels = 8,
                         .middle_blocks = 1,
                         .heads = 1,
                         .dropout = 0.1},
             .base = {.channels = {8, 8}, .blocks = {1, 1}, .head_depth = 8}};
  s.stage1 = {.steps = 6, .batch = 4};
  s.stage2 = {.steps = 5, .batch = 4};
  s.watch = {.checkpoint_every = 4,
             .keep = 3,
             .held_out_every = 3,
             .held_out = 9,
             .preview_every = 0,
             .previews = 8,
             .preview_steps = 2};
  return s;
}

struct outcome {
  bool finished = false;
  ul::extent step = 0;
  std::string told;
};

// Begins or goes on with the run in a directory, to the end or to `stop_at`.
inline outcome run(const std::string& path, const ul::run_settings& s, const ul::data_split& d, ul::extent stop_at = -1,
                   const ul::step_observer& also = {}) {
  ul::cpu device{{.threads = 1}};
  ul::stop_flag stop;
  outcome result;
  const auto directory =
      std::filesystem::exists(path) ? ul::run_directory::open(path) : ul::run_directory::create(path, ul::to_json(s));
  const auto observe = [&](const ul::step_report& r) {
    if (also) also(r);
    if (r.step == stop_at) stop.request();
  };
  ul::training_run<ul::cpu> training(
      device, directory, s, d,
      {.observers = {observe}, .tell = [&](const std::string& text) { result.told += text + "\n"; }, .stop = &stop});
  result.finished = training.train();
  result.step = training.step();
  return result;
}

inline ul::byte_vector bytes_of(const std::string& path) { return ul::read_file(path); }

// Model, metrics and every tensor of the last checkpoint, bit for bit.
inline void check_same(const std::string& a, const std::string& b) {
  CHECK(bytes_of(a + "/model.safetensors") == bytes_of(b + "/model.safetensors"));
  CHECK(bytes_of(a + "/metrics.jsonl") == bytes_of(b + "/metrics.jsonl"));
  const std::string last = "/" + ul::list_checkpoints(a).front().name;
  REQUIRE(ul::list_checkpoints(b).front().name == ul::list_checkpoints(a).front().name);
  CHECK(test::names_in(a + last) == test::names_in(b + last));
  for (const auto& file : std::filesystem::directory_iterator(a + last)) {
    const std::string name = file.path().filename().string();
    CHECK(bytes_of(a + last + "/" + name) == bytes_of(b + last + "/" + name));
  }
}

}  // namespace test
