// The directory of a run: who may create, open and hold it.

#include <doctest/doctest.h>
#include <unistd.h>

#include <ul/train/run_directory.hpp>

#include "checkpoint_support.hpp"

namespace {

using support::contains;
using support::error_of;
using test::names_in;

}  // namespace

TEST_CASE("run directory: created once, resumed often, held by one process") {
  const support::scratch scratch;
  const std::string path = scratch / "a/run";
  const ul::json config = ul::json::object{{"rate", 0.1}, {"model", ul::json::object{{"width", 8}}}};
  const auto create_error = [&](ul::existing_run existing = ul::existing_run::refuse) {
    return error_of([&] { ul::run_directory::create(path, config, existing); });
  };
  const auto open_error = [&] { return error_of([&] { ul::run_directory::open(path); }); };
  CHECK(contains(open_error(), "is not the directory of a run: there is no config.json"));
  {
    const auto run = ul::run_directory::create(path, config);
    CHECK(run.path() == path);
    CHECK(ul::read_json(run / "config.json") == config);
    const std::string held = path + ": in use by process " + std::to_string(::getpid());
    CHECK(create_error() == held);
    CHECK(create_error(ul::existing_run::replace) == held);
    CHECK(open_error() == held);
  }
  CHECK(contains(create_error(), "is not empty (config.json), expected a new directory"));
  std::filesystem::create_directories(path + "/.saving-checkpoint-000000002");
  {
    const auto run = ul::run_directory::open(path);
    CHECK(run.config() == config);
    CHECK(names_in(path) == "config.json lock ");
  }
  test::save(path, 1);
  ul::write_file(path + "/metrics.jsonl", "{}\n");
  ul::write_file(path + "/notes.txt", "mine");
  CHECK(create_error(ul::existing_run::replace) == "no error");
  CHECK(names_in(path) == "config.json lock notes.txt ");

  ul::write_file(scratch / "file", "x");
  CHECK(contains(error_of([&] { ul::run_directory::create(scratch / "file/run", config); }),
                 "file/run: cannot create: not a directory"));
  ul::write_file(path + "/config.json", "{");
  try {
    ul::run_directory::open(path);
    FAIL("accepted");
  } catch (const ul::error& e) {
    CHECK(e.kind() == ul::error_kind::input);
  }
  CHECK(contains(open_error(), "config.json:1:2: "));
}
