// Checkpoints under faults: every system call failing, the process killed at every call and at random moments, power
// cut at every point, a full disk, a second process.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
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

namespace {

// One call that changes what a disk holds, in the order of the calls.
struct change {
  enum class kind { make_directory, create, write, sync, rename } what;
  std::string path, to;
  ul::byte_vector bytes = {};
};

// Does what it is told and keeps a list of it. Without `syncs` it is a writer that forgot to sync.
struct recording_calls : ul::system_calls {
  struct tape {
    std::vector<change> changes;
    std::map<int, std::string> files;
  };
  std::shared_ptr<tape> t = std::make_shared<tape>();
  bool syncs = true;

  int opened(int file, const std::string& path) {
    t->files[file] = path;
    return file;
  }
  int make_directory(const std::string& path) {
    t->changes.push_back({change::kind::make_directory, path, ""});
    return system_calls::make_directory(path);
  }
  int open_new(const std::string& path) {
    t->changes.push_back({change::kind::create, path, ""});
    return opened(system_calls::open_new(path), path);
  }
  int open_directory(const std::string& path) { return opened(system_calls::open_directory(path), path); }
  ::ssize_t write(int file, const void* bytes, std::size_t count) {
    const auto* first = static_cast<const unsigned char*>(bytes);
    t->changes.push_back({change::kind::write, t->files[file], "", {first, first + count}});
    return system_calls::write(file, bytes, count);
  }
  int sync(int file) {
    if (syncs) t->changes.push_back({change::kind::sync, t->files[file], ""});
    return 0;
  }
  int rename(const std::string& from, const std::string& to) {
    t->changes.push_back({change::kind::rename, from, to});
    return system_calls::rename(from, to);
  }
};

enum class unsynced { lost, half, zeros, whole };

// What a disk may hold after a power cut behind the first `count` changes: of the entries of each directory that were
// not synced the first `entries` are there, and of each file's bytes that were not synced what `rest` says.
class cut_disk {
 public:
  cut_disk(const std::vector<change>& changes, std::size_t count, const std::string& run, std::size_t entries,
           unsynced rest)
      : changes_(changes), count_(count), entries_(entries), rest_(rest) {
    for (const change& c : kept(run)) {
      if (c.what == change::kind::rename) std::filesystem::rename(c.path, c.to);
      if (c.what != change::kind::make_directory) continue;
      std::filesystem::create_directory(c.path);
      for (const change& file : kept(c.path)) write(file.path);
    }
  }

 private:
  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

  std::size_t last_sync(const std::string& path) const {
    std::size_t last = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (changes_[i].what == change::kind::sync && changes_[i].path == path) last = i + 1;
    }
    return last;
  }

  // The changes of a directory's entries that are on the disk.
  std::vector<change> kept(const std::string& directory) const {
    const std::size_t synced = last_sync(directory);
    std::vector<change> all;
    std::size_t more = entries_;
    for (std::size_t i = 0; i < count_; ++i) {
      const change& c = changes_[i];
      const bool entry = c.what != change::kind::write && c.what != change::kind::sync && parent(c.path) == directory;
      if (!entry || (i >= synced && more == 0)) continue;
      if (i >= synced) --more;
      all.push_back(c);
    }
    return all;
  }

  void write(const std::string& path) const {
    const std::size_t synced = last_sync(path);
    ul::byte_vector safe, rest;
    for (std::size_t i = 0; i < count_; ++i) {
      if (changes_[i].what != change::kind::write || changes_[i].path != path) continue;
      ul::append_bytes(i < synced ? safe : rest, changes_[i].bytes);
    }
    if (rest_ == unsynced::lost) rest.clear();
    if (rest_ == unsynced::half) rest.resize(rest.size() / 2);
    if (rest_ == unsynced::zeros) std::fill(rest.begin(), rest.end(), static_cast<unsigned char>(0));
    ul::append_bytes(safe, rest);
    std::FILE* out = std::fopen(path.c_str(), "wb");
    REQUIRE(out != nullptr);
    if (!safe.empty()) REQUIRE(std::fwrite(safe.data(), 1, safe.size(), out) == safe.size());
    std::fclose(out);
  }

  const std::vector<change>& changes_;
  std::size_t count_, entries_;
  unsynced rest_;
};

// Cuts the power behind every change of a save that replaces checkpoint 1 by 2; returns how many of the disks found
// afterwards hold neither, or, with the save finished, not the new one.
int count_losses(bool syncs, int& disks) {
  const support::scratch scratch;
  const std::string run = scratch / "run", old = scratch / "old";
  std::filesystem::create_directory(run);
  test::save(run, 1);
  std::filesystem::copy(run, old, std::filesystem::copy_options::recursive);
  recording_calls calls;
  calls.syncs = syncs;
  ul::checkpoint_writer<recording_calls> writer(run, ul::json::object{{"width", 8}}, {.keep = 1}, calls);
  test::save(writer, 2);
  const std::vector<change>& changes = calls.t->changes;
  int losses = 0;
  for (std::size_t count = 0; count <= changes.size(); ++count) {
    for (std::size_t entries = 0; entries <= 4; ++entries) {
      for (const unsynced rest : {unsynced::lost, unsynced::half, unsynced::zeros, unsynced::whole}) {
        std::filesystem::remove_all(run);
        std::filesystem::copy(old, run, std::filesystem::copy_options::recursive);
        const cut_disk disk(changes, count, run, entries, rest);
        ++disks;
        ul::extent found = -1;
        try {
          found = ul::read_latest_checkpoint(run).value().step;
        } catch (const std::exception&) {
        }
        losses += found != 2 && (found != 1 || count == changes.size());
      }
    }
  }
  return losses;
}

}  // namespace

TEST_CASE("checkpoint faults: a power cut at any moment loses nothing that was saved") {
  int disks = 0;
  CHECK(count_losses(true, disks) == 0);
  CHECK(disks > 200);
  // The same disks do find a writer that forgets to sync.
  CHECK(count_losses(false, disks) > 0);
}

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
