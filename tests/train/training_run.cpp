// Whole runs of a model that takes milliseconds: whatever interrupts one, it ends with the same bits.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <ul/backend/cpu.hpp>
#include <ul/latent/model_file.hpp>

#include "training_run_support.hpp"

namespace {

using support::contains;
using test::bytes_of;
using test::check_same;
using test::data;
using test::outcome;
using test::run;
using test::settings;
using test::stripes;

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
