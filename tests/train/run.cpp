// What surrounds a training loop: metrics, progress, the wish to stop, and settings compared.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <sstream>
#include <thread>

#include <ul/io/write_file.hpp>
#include <ul/train/config_difference.hpp>
#include <ul/train/metrics_log.hpp>
#include <ul/train/progress_line.hpp>
#include <ul/train/stop_flag.hpp>

#include "../io/support.hpp"

namespace {

using support::contains;
using support::error_of;

std::string text_of(const std::string& path) {
  const ul::byte_vector bytes = ul::read_file(path);
  return std::string(ul::as_text(bytes));
}

ul::json line(ul::extent step) { return ul::json::object{{"step", step}, {"loss", 0.5}}; }

ul::step_report report(ul::extent step, ul::extent steps = 100) {
  return {.step = step, .steps = steps, .loss = 812.3, .bits_per_pixel = 0.7341, .images = 64, .flops = 6.4e9};
}

}  // namespace

TEST_CASE("metrics: one line for each call, and a file goes on where it ended") {
  const support::scratch directory;
  const std::string path = directory / "metrics.jsonl";
  {
    ul::metrics_log log(path);
    log.append(line(1));
    CHECK(text_of(path) == "{\"step\": 1, \"loss\": 0.5}\n");  // at once
    log.append(line(2));
  }
  { ul::metrics_log(path).append(line(3)); }
  CHECK(text_of(path) == "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": 0.5}\n{\"step\": 3, \"loss\": 0.5}\n");
  CHECK(
      contains(error_of([&] { ul::metrics_log log(directory / "none/m"); }), "cannot open: no such file or directory"));
  CHECK(contains(error_of([&] { ul::metrics_log log("/dev/null"); }), "not a regular file"));
}

TEST_CASE("metrics: half a line goes, and so do the lines behind the step of a resume") {
  const support::scratch directory;
  const std::string path = directory / "metrics.jsonl";
  const std::string one = "{\"step\": 1, \"loss\": 0.5}\n", two = "{\"step\": 2, \"loss\": 0.5}\n",
                    note = "not JSON\n{\"a\": 1}\n";
  const auto reopened = [&](const std::string& before, const ul::metrics_options& options) {
    ul::write_file(path, before);
    { ul::metrics_log log(path, options); }
    return std::filesystem::file_size(path) == 0 ? "" : text_of(path);
  };
  for (std::size_t cut = 0; cut < two.size(); ++cut) CHECK(reopened(one + two.substr(0, cut), {}) == one);
  CHECK(reopened(one + two, {}) == one + two);
  CHECK(reopened(one + two, {.last_step = 2}) == one + two);
  CHECK(reopened(one + two, {.last_step = 1}) == one);
  CHECK(reopened(one + two, {.last_step = 0}).empty());
  CHECK(reopened(one + note + two, {.last_step = 1}) == one + note);
  {
    ul::metrics_log log(path);
    log.append(line(9));
  }
  CHECK(text_of(path) == one + note + "{\"step\": 9, \"loss\": 0.5}\n");
}

TEST_CASE("metrics: a full disk is told, and leaves whole lines") {
  const support::scratch directory;
  const std::string path = directory / "metrics.jsonl";
  ul::metrics_log log(path);
  log.append(line(1));
  ::rlimit kept;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &kept) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const ::rlimit small{40, kept.rlim_max};  // first a short write, then none
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string told = error_of([&] { log.append(line(2)); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &kept) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK(contains(told, "metrics.jsonl: cannot write: file too large"));
  CHECK(text_of(path) == "{\"step\": 1, \"loss\": 0.5}\n");
  log.append(line(3));
  CHECK(text_of(path) == "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 3, \"loss\": 0.5}\n");
}

TEST_CASE("observers: each is told, and a report is a line of JSON") {
  std::string order;
  const std::vector<ul::step_observer> observers{
      [&](const ul::step_report& r) { order += "a" + std::to_string(r.step); },
      [&](const ul::step_report& r) { order += "b" + std::to_string(r.step); }};
  ul::notify(observers, report(1));
  ul::notify(observers, report(2));
  CHECK(order == "a1b1a2b2");
  ul::step_report r = report(3);
  r.values = {{"prior", 0.25}};
  CHECK(ul::to_text(ul::to_json(r)) ==
        "{\"step\": 3, \"loss\": 812.3, \"bits_per_pixel\": 0.7341, \"gradient_norm\": 0.0, \"rate\": 0.0, \"prior\": "
        "0.25}");
  r.loss = NAN;
  r.skipped = true;
  CHECK(contains(ul::to_text(ul::to_json(r)), "\"loss\": null"));
  CHECK(contains(ul::to_text(ul::to_json(r)), "\"skipped\": true"));
}

TEST_CASE("progress: speed, bits and the time that is left") {
  double now = 50;
  std::ostringstream out;
  ul::progress_line progress(out, {.plain_interval = 10}, [&] { return now; });
  for (ul::extent step = 1; step <= 100; ++step) {
    now += 0.5;
    progress(report(step));
  }
  progress.finish();
  std::istringstream lines(out.str());
  std::vector<std::string> shown;
  for (std::string text; std::getline(lines, text);) shown.push_back(text);
  REQUIRE(shown.size() == 6);  // the first, every ten seconds, the last
  CHECK(shown[0] == "step 1/100  loss 812  0.734 bits/pixel  128 images/s  12.8 GFLOP/s  ETA 0:50");
  CHECK(shown[1] == "step 21/100  loss 812  0.734 bits/pixel  128 images/s  12.8 GFLOP/s  ETA 0:40");
  CHECK(shown[5] == "step 100/100  loss 812  0.734 bits/pixel  128 images/s  12.8 GFLOP/s  ETA 0:00");
}

TEST_CASE("progress: a change of speed is followed, a skipped step and an unknown end are told") {
  double now = 0;
  std::ostringstream out;
  ul::progress_line progress(out, {.plain_interval = 0}, [&] { return now; });
  const auto last = [&] {
    std::string text = out.str();
    text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  };
  const auto run = [&](int steps, double seconds) {
    ul::step_report r = report(1, 0);
    r.flops = 0;
    for (int i = 0; i < steps; ++i) {
      now += seconds;
      progress(r);
    }
  };
  run(100, 1);
  CHECK(last() == "step 1  loss 812  0.734 bits/pixel  64.0 images/s");
  run(400, 0.5);  // ten times as long as the memory
  CHECK(last() == "step 1  loss 812  0.734 bits/pixel  128 images/s");
  ul::step_report r = report(5, 10);
  r.loss = NAN;
  r.skipped = true;
  now += 0.5;
  progress(r);
  CHECK(contains(last(), "step 5/10  loss nan  "));
  CHECK(contains(last(), "  skipped 1"));
}

TEST_CASE("progress: a terminal's line is written over, other streams get whole lines") {
  double now = 0;
  std::ostringstream out;
  ul::progress_line progress(out, {.kind = ul::stream_kind::terminal, .terminal_interval = 1}, [&] { return now; });
  for (ul::extent step = 1; step <= 4; ++step) {
    now += 0.5;
    progress(report(step));
  }
  const std::string before = out.str();
  CHECK(std::count(before.begin(), before.end(), '\r') == 2);
  CHECK(before.find('\n') == before.npos);
  CHECK(before.starts_with("\rstep 1/100"));
  CHECK(before.ends_with("\x1b[K"));
  progress.finish();
  progress.finish();
  CHECK(out.str() == before + "\n");

  CHECK(ul::detail::duration_text(0) == "0:00");
  CHECK(ul::detail::duration_text(59.6) == "1:00");
  CHECK(ul::detail::duration_text(3599) == "59:59");
  CHECK(ul::detail::duration_text(7207) == "2:00:07");
  CHECK(ul::detail::short_number(9.996) == "10.0");
  CHECK(ul::detail::short_number(-0.12345) == "-0.123");
  CHECK(ul::detail::short_number(1e300).size() == 301);
}

TEST_CASE("stop: a wish from a signal handler or another thread") {
  static ul::stop_flag stop;
  CHECK(!stop.requested());
  const auto handler = ::signal(SIGUSR1, [](int) { stop.request(); });
  ::raise(SIGUSR1);
  ::signal(SIGUSR1, handler);
  CHECK(stop.requested());
  CHECK(stop.requests() == 1);
  std::jthread([] { stop.request(); }).join();
  CHECK(stop.requests() == 2);
}

TEST_CASE("config: every key that differs is named") {
  const ul::json a =
      ul::parse_json(R"({"rate": 0.001, "model": {"width": 8, "heads": [1, 2]}, "old": {"x": 1}, "one": 1})");
  const ul::json b =
      ul::parse_json(R"({"model": {"width": 16, "heads": [1, 3], "depth": 2}, "rate": 0.002, "one": 1.0})");
  const auto text = [](const ul::json& from, const ul::json& to) {
    std::string all;
    for (const auto& [key, x, y] : ul::config_differences(from, to)) all += key + ": " + x + " -> " + y + "; ";
    return all;
  };
  CHECK(text(a, a).empty());
  CHECK(text(a, b) ==
        "rate: 0.001 -> 0.002; model.width: 8 -> 16; model.heads: [1, 2] -> [1, 3]; "
        "model.depth: absent -> 2; old.x: 1 -> absent; ");
  CHECK(text(ul::parse_json("{\"a\": 1}"), ul::parse_json("{\"a\": {\"b\": 1}}")) == "a: 1 -> {\"b\": 1}; ");
  CHECK(text(ul::parse_json("{\"a\": {}}"), ul::parse_json("{}")) == "a: {} -> absent; ");
  CHECK(text(ul::parse_json("{}"), ul::parse_json("{\"a\": {}, \"b\": 1}")) == "a: absent -> {}; b: absent -> 1; ");
  CHECK(text(ul::json(1), ul::json(2)) == ": 1 -> 2; ");
  CHECK(text(ul::json(9007199254740993), ul::json(9007199254740992)) == ": 9007199254740993 -> 9007199254740992; ");

  CHECK(error_of([&] { ul::require_same_config(a, a); }) == "no error");
  CHECK(error_of([&] {
          ul::require_same_config(a, b, {"rate", "model.heads", "model.depth", "old.x"});
        }) == "config differs: model.width: 8 -> 16");
  CHECK(contains(error_of([&] { ul::require_same_config(a, b); }),
                 "config differs: rate: 0.001 -> 0.002; model.width: 8"));
}
