// A power cut at every moment of a save: the disk still holds a whole checkpoint.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "checkpoint_support.hpp"

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
