// Checkpoints under faults: every system call failing, the process killed at any call or moment, a full disk.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include <ul/train/run_directory.hpp>

#include "checkpoint_support.hpp"

namespace {

using support::contains;
using support::error_of;
using test::latest_step;
using test::names_in;

// System calls of which one, counted from 1, fails or kills the process; the disk itself is not waited for.
struct faulty_calls : ul::system_calls {
  enum class fault { fail, fail_short, kill };
  struct plan {
    int at = 0, calls = 0;
    int reason = EIO;
    fault kind = fault::fail;
  };
  std::shared_ptr<plan> p = std::make_shared<plan>();

  bool strikes() {
    if (++p->calls != p->at) return false;
    if (p->kind == fault::kill) ::kill(::getpid(), SIGKILL);
    errno = p->reason;
    return true;
  }
  int make_directory(const std::string& path) { return strikes() ? -1 : system_calls::make_directory(path); }
  int open_new(const std::string& path) { return strikes() ? -1 : system_calls::open_new(path); }
  int open_directory(const std::string& path) { return strikes() ? -1 : system_calls::open_directory(path); }
  int sync(int) { return strikes() ? -1 : 0; }
  int rename(const std::string& from, const std::string& to) { return strikes() ? -1 : system_calls::rename(from, to); }
  int close(int file) {
    const bool failed = strikes();
    system_calls::close(file);
    if (failed) errno = p->reason;
    return failed ? -1 : 0;
  }
  ::ssize_t write(int file, const void* bytes, std::size_t count) {
    const bool failed = strikes();
    if (failed && p->kind == fault::fail_short) return system_calls::write(file, bytes, count > 1 ? count / 2 : count);
    return failed ? -1 : system_calls::write(file, bytes, count);
  }
};

// Waits for a child; whether SIGKILL ended it. Anything but that or success fails the test.
bool was_killed(::pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  CHECK((killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
  return killed;
}

// Runs `action` in a process of its own.
template <class Action>
::pid_t in_child(Action&& action) {
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      action();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  return child;
}

}  // namespace

TEST_CASE("checkpoint faults: whichever system call fails, a whole checkpoint stays") {
  using fault = faulty_calls::fault;
  const std::pair<fault, int> faults[] = {{fault::fail, ENOSPC}, {fault::fail, EIO},   {fault::fail, EROFS},
                                          {fault::fail, EMFILE}, {fault::fail, EINTR}, {fault::fail_short, ENOSPC}};
  for (const auto& each : faults) {
    const fault kind = each.first;
    const int reason = each.second;
    CAPTURE(reason);
    const support::scratch run;
    faulty_calls calls;
    ul::checkpoint_writer<faulty_calls> writer(run.path(), {}, {.keep = 1}, calls);
    test::save(writer, 1);
    ul::extent step = 1;
    int failures = 0;
    for (int at = 1;; ++at) {
      CAPTURE(at);
      *calls.p = {at, 0, reason, kind};
      const std::string text = error_of([&] { test::save(writer, step + 1); });
      const bool struck = calls.p->calls >= at;
      const ul::extent found = latest_step(run.path());
      if (text == "no error") {
        CHECK(found == step + 1);
      } else {
        ++failures;
        CHECK(struck);
        CHECK((found == step || found == step + 1));
        CHECK(contains(text, ul::detail::reason(reason)));
        CHECK(contains(text, run.path().string()));
        CHECK(names_in(run.path()).find(".saving") == std::string::npos);
      }
      step = found;
      if (!struck) break;
      REQUIRE(at < 100);
    }
    // Interrupted writes and closes are repeated, a short write is no fault, but nothing else passes unnoticed.
    CHECK(failures >= (kind == fault::fail_short ? 8 : reason == EINTR ? 9 : 14));
    // A removal that failed is made good.
    *calls.p = {};
    test::save(writer, step + 1);
    CHECK(names_in(run.path()) == ul::checkpoint_name(step + 1) + ' ');
  }
}

TEST_CASE("checkpoint faults: training goes on through failed saves, but not for ever") {
  const support::scratch run;
  faulty_calls calls;
  ul::checkpoint_writer<faulty_calls> writer(run.path(), {}, {.attempts = 3}, calls);
  const test::sample_state s(1);
  const auto attempt = [&](int at) {
    *calls.p = {at, 0, ENOSPC, faulty_calls::fault::fail};
    return writer.try_save(1, s.scalars(), s.parts());
  };
  for (int round = 0; round < 2; ++round) {
    CHECK(contains(attempt(3), "no space left on device"));
    CHECK(contains(attempt(3), "no space left on device"));
    CHECK(attempt(0).empty());
  }
  attempt(3);
  attempt(3);
  const std::string last = error_of([&] { attempt(3); });
  CHECK(contains(last, "checkpoint: 3 failures in a row, the last: "));
  CHECK(contains(last, "model.safetensors: cannot write: no space left on device"));
}

TEST_CASE("checkpoint faults: killed at every system call of a save") {
  const support::scratch run;
  test::save(run.path(), 1);
  ul::extent step = 1;
  int kills = 0;
  for (int at = 1;; ++at) {
    REQUIRE(at < 100);
    const ::pid_t child = in_child([&] {
      faulty_calls calls;
      *calls.p = {at, 0, 0, faulty_calls::fault::kill};
      ul::checkpoint_writer<faulty_calls> writer(run.path(), {}, {.keep = 1}, calls);
      test::save(writer, step + 1);
    });
    const bool killed = was_killed(child);
    const ul::extent found = latest_step(run.path());
    CHECK((found == step || found == step + 1));
    if (!killed) break;
    ++kills;
    step = found;
    ul::clean_checkpoints(run.path());
    CHECK(names_in(run.path()).find('.') == std::string::npos);
  }
  CHECK(kills >= 15);
}

TEST_CASE("checkpoint faults: killed at twenty random moments") {
  const support::scratch scratch;
  const std::string path = scratch / "run";
  { const auto created = ul::run_directory::create(path, ul::json::object{{"width", 8}}); }
  ul::extent seen = 0;
  std::uint64_t random = 12345;
  for (int round = 0; round < 20 || (seen <= 5 && round < 200); ++round) {  // a slow machine saves little between two
    const ::pid_t child = in_child([&] {
      const auto run = ul::run_directory::open(path);
      for (ul::extent step = latest_step(path) + 1;; ++step) test::save(path, step, {.keep = 2});
    });
    random = random * 6364136223846793005u + 1442695040888963407u;
    ::usleep(static_cast<unsigned>(2000 + (random >> 33) % 60000));
    ::kill(child, SIGKILL);
    CHECK(was_killed(child));
    const auto run = ul::run_directory::open(path);  // the dead process holds no lock
    const ul::extent found = latest_step(path);
    CHECK(found >= seen - 1);
    seen = found + 1;
    CHECK(names_in(path).find(".saving") == std::string::npos);
  }
  CHECK(seen > 5);
}

TEST_CASE("checkpoint faults: a full disk") {
  const support::scratch scratch;
  const std::string run = scratch / "small";
  std::filesystem::create_directory(run);
  if (::mount("tmpfs", run.c_str(), "tmpfs", 0, "size=256k") != 0) {
    MESSAGE("skipped: no right to mount a small file system (" << ul::detail::reason(errno) << ")");
    return;
  }
  struct unmount {
    std::string path;
    ~unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } at_end{run};
  test::save(run, 1);
  test::save(run, 2);
  const std::vector<float> large(50'000);
  const std::vector<ul::checkpoint_part> parts{{"model", {ul::named_tensor("x", large)}}};
  ul::checkpoint_writer<> writer(run, {});
  const std::string told = error_of([&] { writer.save(3, {}, parts); });
  CHECK(contains(told, "small: no space left on device: a checkpoint needs 265792 bytes, "));
  CHECK(latest_step(run) == 2);

  struct optimist : ul::system_calls {  // nobody knows how much is free
    long long free_bytes(const std::string&) { return -1; }
  };
  const std::vector<float> larger(100'000);
  ul::checkpoint_writer<optimist> other(run, {});
  const std::string met = error_of([&] { other.save(3, {}, {{"model", {ul::named_tensor("x", larger)}}}); });
  CHECK(contains(met, "model.safetensors: cannot write: no space left on device"));
  CHECK(latest_step(run) == 2);
  CHECK(names_in(run) == "checkpoint-000000001 checkpoint-000000002 ");
  CHECK(test::save(run, 3) == run + "/checkpoint-000000003");
  CHECK(latest_step(run) == 3);
}
