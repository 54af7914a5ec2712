// How a run begins and goes on: from which settings, data, directories and weights, and what is refused.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>

#include <ul/backend/cpu.hpp>
#include <ul/latent/model_file.hpp>

#include "training_run_support.hpp"

namespace {

using support::contains;
using support::error_of;
using test::bytes_of;
using test::check_same;
using test::data;
using test::run;
using test::settings;

std::string run_error(const std::string& path, const ul::run_settings& s, const ul::data_split& d) {
  return error_of([&] { run(path, s, d); });
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

}  // namespace

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

TEST_CASE("run: any number of channels and of classes") {
  const support::scratch d;
  ul::run_settings s = settings();
  s.model.image = {4, 4, 5};
  s.model.classes = 301;
  s.watch.preview_every = 1;
  CHECK(run(d / "run", s, {many{}, many{}}).finished);
  CHECK(!std::filesystem::exists(d / "run" + "/previews"));
}
