// Whole runs of a model that takes milliseconds: whatever interrupts one, it ends with the same bits.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>

#include <ul/backend/cpu.hpp>
#include <ul/compiled.hpp>
#include <ul/latent/model_file.hpp>
#include <ul/train/run.hpp>

#include "checkpoint_support.hpp"

namespace {

using support::contains;
using support::error_of;

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

ul::data_split data(ul::extent broken = -1) { return {stripes{40, broken}, stripes{9}}; }

ul::run_settings settings() {
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
outcome run(const std::string& path, const ul::run_settings& s, const ul::data_split& d, ul::extent stop_at = -1,
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

ul::byte_vector bytes_of(const std::string& path) { return ul::read_file(path); }

// Model, metrics and every tensor of the last checkpoint, bit for bit.
void check_same(const std::string& a, const std::string& b) {
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

std::string run_error(const std::string& path, const ul::run_settings& s, const ul::data_split& d) {
  return error_of([&] { run(path, s, d); });
}

}  // namespace

TEST_CASE("run: stopped at any step and resumed, it ends as one that was not") {
  for (const bool variant : {false, true}) {
    ul::run_settings s = settings();
    s.flip = variant;
    s.cache_latents = !variant;
    const support::scratch d;
    const outcome straight = run(d / "straight", s, data());
    CHECK(straight.finished);
    CHECK(straight.step == 11);
    CHECK(straight.told == "encoding the pictures\n");
    for (const ul::extent k : {1, 4, 5, 6, 7, 10}) {
      const std::string path = d / ("stopped-" + std::to_string(k));
      const outcome first = run(path, s, data(), k);
      CHECK(!first.finished);
      CHECK(first.step == k);
      CHECK(std::filesystem::exists(path + "/model.safetensors"));
      const outcome second = run(path, s, data());
      CHECK(second.finished);
      CHECK(contains(second.told, "resumed at step " + std::to_string(k)));
      check_same(d / "straight", path);
    }
    // Every step a run of its own.
    for (ul::extent k = 1; k <= 11; ++k) run(d / "single", s, data(), k);
    CHECK(run(d / "single", s, data()).finished);
    check_same(d / "straight", d / "single");
  }
}

TEST_CASE("run: a lost checkpoint costs steps, not bits") {
  const support::scratch d;
  run(d / "straight", settings(), data());
  run(d / "lost", settings(), data());
  for (const ul::extent step : {11, 8}) {
    std::filesystem::remove(d / "lost" + "/" + ul::checkpoint_name(step) + "/manifest.jsonl");
  }
  const outcome again = run(d / "lost", settings(), data());
  CHECK(contains(again.told, "passed over: "));
  CHECK(contains(again.told, "resumed at step 6"));
  CHECK(bytes_of(d / "lost" + "/model.safetensors") == bytes_of(d / "straight" + "/model.safetensors"));
  CHECK(bytes_of(d / "lost" + "/metrics.jsonl") == bytes_of(d / "straight" + "/metrics.jsonl"));
}

TEST_CASE("run: what is only looked at changes no bit, and is there") {
  const support::scratch d;
  ul::run_settings s = settings();
  run(d / "plain", s, data());
  s.watch.preview_every = 5;
  s.watch.held_out_every = 0;
  s.watch.keep = 1;
  run(d / "watched", s, data());
  CHECK(bytes_of(d / "plain" + "/model.safetensors") == bytes_of(d / "watched" + "/model.safetensors"));
  std::string pictures;
  for (const ul::extent step : {5, 6, 10, 11}) {
    const std::string name = ul::checkpoint_name(step).substr(11);
    pictures += name + "-reconstructions.png " + name + "-samples.png ";
  }
  CHECK(test::names_in(d / "watched" + "/previews") == pictures);
  CHECK(ul::list_checkpoints(d / "watched").size() == 1);
  const ul::byte_vector text = bytes_of(d / "plain" + "/metrics.jsonl");
  std::string_view rest = ul::as_text(text);
  ul::extent step = 0;
  for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
    const ul::json line = ul::parse_json(rest.substr(0, end));
    CHECK(line["step"].integer<ul::extent>() == ++step);
    CHECK((line.find("held_out_bits_per_pixel") != nullptr) == (step % 3 == 0 || step == 11));
    CHECK(line["bits_per_pixel"].number() > 0);
  }
  CHECK(step == 11);
}

TEST_CASE("run: a finished run writes its model again, in half precision if asked to") {
  const support::scratch d;
  ul::run_settings s = settings();
  run(d / "run", s, data());
  ul::cpu device{{.threads = 1}};
  const auto exact = ul::load(device, d / "run" + "/model.safetensors");
  s.watch.half_precision = true;
  CHECK(run(d / "run", s, data()).finished);
  const auto rounded = ul::load(device, d / "run" + "/model.safetensors");
  const auto check_rounded = [](const auto& half, const auto& whole) {
    const auto a = ul::to_host(half.value()), b = ul::to_host(whole.value());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == static_cast<float>(static_cast<ul::fp16>(b[i])));
  };
  check_rounded(rounded.stage1.weights, exact.stage1.weights);
  check_rounded(rounded.stage2->weights, exact.stage2->weights);
}

TEST_CASE("run: resumed with other settings or other data it is refused") {
  const support::scratch d;
  run(d / "run", settings(), data(), 5);
  const ul::byte_vector before = bytes_of(d / "run" + "/metrics.jsonl");
  ul::run_settings s = settings();
  s.stage1.rate = 2e-3;
  s.model.decoder.dropout = 0.2;
  CHECK(run_error(d / "run", s, data()) ==
        "config differs: model.decoder.dropout: 0.1 -> 0.2; stage1.rate: 0.001 -> 0.002");
  CHECK(contains(run_error(d / "run", settings(), data(3)), "the data set stripes is not the one the run began with"));
  s = settings();
  s.model.image = {16, 8, 1};
  CHECK(contains(run_error(d / "run", s, data()), "model.image is (16, 8, 1), the pictures are (8, 8, 1)"));
  s = settings();
  s.model.classes = 4;
  CHECK(contains(run_error(d / "run", s, data()), "model.classes is 4, the data set has 3 classes"));
  CHECK(bytes_of(d / "run" + "/metrics.jsonl") == before);
  CHECK(run(d / "run", settings(), data()).finished);
}

TEST_CASE("run: a directory that is in use, or that holds a run, is refused") {
  const support::scratch d;
  run(d / "run", settings(), data());
  CHECK(contains(error_of([&] { ul::run_directory::create(d / "run", ul::json::object{}); }), "is not empty"));
  const auto held = ul::run_directory::open(d / "run");
  try {
    run(d / "run", settings(), data());
    FAIL("the directory is held");
  } catch (const ul::error& e) {
    CHECK(e.kind() == ul::error_kind::locked);
    CHECK(contains(e.what(), "in use by process " + std::to_string(::getpid())));
  }
}

TEST_CASE("run: one broken picture costs its step, broken data end it") {
  ul::run_settings s = settings();
  s.stage1.steps = 30;
  s.stage1.batch = 2;
  s.stage2.steps = 0;
  const support::scratch d;
  std::vector<ul::extent> skipped;
  const auto note = [&](const ul::step_report& r) {
    if (r.skipped) skipped.push_back(r.step);
  };
  s.watch.held_out_every = 0;
  CHECK(run(d / "straight", s, data(3), -1, note).finished);
  REQUIRE(!skipped.empty());
  run(d / "stopped", s, data(3), skipped[0]);
  CHECK(run(d / "stopped", s, data(3)).finished);
  check_same(d / "straight", d / "stopped");

  try {
    run(d / "bad", s, {stripes{1, 0}, stripes{9}});
    FAIL("all numbers are broken");
  } catch (const ul::error& e) {
    CHECK(e.kind() == ul::error_kind::diverged);
    CHECK(contains(e.what(), "5 steps in a row are not finite"));
  }
  CHECK(ul::list_checkpoints(d / "bad").front().step == 4);
}

TEST_CASE("run: starts from another model's weights") {
  const support::scratch d;
  run(d / "first", settings(), data());
  ul::run_settings s = settings();
  s.init_from = d / "first" + "/model.safetensors";
  s.seed = 8;
  s.stage1.steps = 0;
  CHECK(run(d / "second", s, data()).finished);
  const auto weights = [](const std::string& path) {
    ul::cpu device{{.threads = 1}};
    const auto m = ul::load(device, path + "/model.safetensors");
    REQUIRE(m.stage2);
    return std::pair(to_host(m.stage1.weights.master()), to_host(m.stage2->weights.master()));
  };
  const auto first = weights(d / "first"), second = weights(d / "second");
  CHECK(first.first == second.first);
  CHECK(first.second != second.second);

  // Interrupted at once, and the file is gone: the checkpoint of step 0 knows all.
  CHECK(!run(d / "third", s, data(), 1).finished);
  std::filesystem::remove(s.init_from);
  CHECK(run(d / "third", s, data()).finished);
  check_same(d / "second", d / "third");

  s.init_from = d / "second" + "/model.safetensors";
  s.model.prior.channels = 16;
  CHECK(contains(run_error(d / "other", s, data()), "model.safetensors: parameter prior/"));
}

TEST_CASE("run: what cannot begin is refused before there is a directory") {
  const support::scratch d;
  ul::cpu device{{.threads = 1}};
  ul::run_settings s = settings();
  const auto refusal = [&] { return error_of([&] { ul::training_run<ul::cpu>::require_start(device, s, data()); }); };
  CHECK(refusal() == "no error");
  s.init_from = d / "nowhere.safetensors";
  CHECK(contains(refusal(), "nowhere.safetensors: cannot open"));
  s.init_from.clear();
  s.model.classes = 5;
  CHECK(contains(refusal(), "model.classes is 5"));
}

TEST_CASE("run: data may move") {
  const support::scratch d;
  run(d / "run", settings(), data(), 5);
  ul::run_settings s = settings();
  s.data = "stripes elsewhere";
  CHECK(run(d / "run", s, data()).finished);
}

// Pictures (4, 4, 5) of more classes than a byte tells.
struct many {
  ul::extent size() const { return 301; }
  ul::extents extents() const { return {4, 4, 5}; }
  ul::extent classes() const { return 301; }
  ul::extent label(ul::extent i) const { return i; }
  void read(ul::extent i, float* out) const {
    for (int p = 0; p < 80; ++p) out[p] = static_cast<float>(std::sin(static_cast<double>(p * (i + 1))));
  }
};

TEST_CASE("run: any number of channels and of classes") {
  const support::scratch d;
  ul::run_settings s = settings();
  s.model.image = {4, 4, 5};
  s.model.classes = 301;
  s.watch.preview_every = 1;
  CHECK(run(d / "run", s, {many{}, many{}}).finished);
  CHECK(!std::filesystem::exists(d / "run" + "/previews"));
}

TEST_CASE("run: a disk that is full for a while costs checkpoints, nothing else") {
  const support::scratch d;
  ul::run_settings s = settings();
  s.watch.checkpoint_every = 1;
  run(d / "straight", s, data());
  ::rlimit kept;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &kept) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const auto limit = [&](::rlim_t size) {
    const ::rlimit now{size, kept.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  };
  const outcome full = run(d / "full", s, data(), -1, [&](const ul::step_report& r) {
    if (r.step == 2) limit(500);
    if (r.step == 4) limit(kept.rlim_cur);
  });
  CHECK(full.finished);
  CHECK(contains(full.told, "no checkpoint at step 2: "));
  CHECK(contains(full.told, "no checkpoint at step 3: "));
  CHECK(full.told.find("at step 4") == full.told.npos);
  CHECK(contains(full.told, "file too large"));
  CHECK(bytes_of(d / "full" + "/model.safetensors") == bytes_of(d / "straight" + "/model.safetensors"));

  try {
    run(d / "stays", s, data(), -1, [&](const ul::step_report& r) {
      if (r.step == 2) limit(500);
    });
    FAIL("the disk is full");
  } catch (const ul::error& e) {
    CHECK(e.kind() == ul::error_kind::system);
    CHECK(contains(e.what(), "3 failures in a row"));
  }
  limit(kept.rlim_cur);
  ::signal(SIGXFSZ, handler);
  CHECK(run(d / "stays", s, data()).finished);
  CHECK(bytes_of(d / "stays" + "/model.safetensors") == bytes_of(d / "straight" + "/model.safetensors"));
}
