#pragma once
// Files written whole or not at all. At every instant, a crash or a full disk included, the path holds either the
// complete old file or the complete new one: the bytes go to a temporary file in the same directory, are forced to
// the disk, and then take the path's place in one step.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include <ul/io/bytes.hpp>
#include <ul/io/descriptor.hpp>

namespace ul {

// A file under construction. Without commit() its destructor leaves the old file as it was and no temporary behind.
// A path that is a device or a FIFO is written directly. Every member throws ul::error naming the path and the reason.
class atomic_file {
 public:
  explicit atomic_file(std::string path) : path_(std::move(path)) {
    struct ::stat status;
    const bool exists = ::stat(detail::system_path(path_), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) fail(printable(path_), ": cannot write: is a directory");
    if (exists && !S_ISREG(status.st_mode)) {
      file_ = detail::descriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    } else {
      open_temporary();
    }
    if (!file_.is_open()) detail::fail_system(path_, "cannot create", errno);
  }
  atomic_file(atomic_file&&) = delete;
  ~atomic_file() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(byte_view bytes) {
    while (!bytes.empty()) {
      // The kernel moves at most about 2^31 bytes per call; a short write is no error, its successor tells.
      const auto count = (std::min)(bytes.size(), std::size_t{1} << 30);
      const ::ssize_t wrote = ::write(file_.number(), bytes.data(), count);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) detail::fail_system(path_, "cannot write", errno);
      if (wrote == 0) fail(printable(path_), ": cannot write: no progress");
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
  }
  void write(std::string_view text) { write(as_bytes(text)); }

  // Makes the new file durable and visible. To be called once, last.
  void commit() {
    if (!temporary_.empty() && ::fsync(file_.number()) != 0) detail::fail_system(path_, "cannot sync", errno);
    if (const int number = file_.close()) detail::fail_system(path_, "cannot close", number);
    if (temporary_.empty()) return;
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) detail::fail_system(path_, "cannot rename", errno);
    temporary_.clear();
    sync_directory();
  }

 private:
  void open_temporary() {
    const std::size_t slash = path_.rfind('/') + 1;  // 0 without a slash
    directory_ = slash == 0 ? "." : path_.substr(0, slash);
    const std::string stem = path_.substr(0, slash) + ".tmp-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0; attempt < 1000; ++attempt) {
      std::string name = stem + std::to_string(attempt);
      file_ = detail::descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
      if (file_.is_open()) {
        temporary_ = std::move(name);
        return;
      }
      if (errno != EEXIST) return;
    }
  }

  // The rename itself must survive a power cut. Some file systems cannot sync a directory and say EINVAL.
  void sync_directory() const {
    const detail::descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open()) detail::fail_system(path_, "cannot open its directory", errno);
    if (::fsync(directory.number()) != 0 && errno != EINVAL) {
      detail::fail_system(path_, "cannot sync its directory", errno);
    }
  }

  std::string path_, directory_, temporary_;
  detail::descriptor file_;
};

// Writes the whole file atomically. Throws ul::error naming the path and the reason; the old file is then untouched.
inline void write_file(const std::string& path, byte_view bytes) {
  atomic_file file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::string& path, std::string_view text) { write_file(path, as_bytes(text)); }

}  // namespace ul
