#pragma once
// A new file that is on the disk when it says so, with its size and checksum counted while it is written.

#include <algorithm>
#include <cerrno>

#include <ul/io/checksum.hpp>
#include <ul/io/descriptor.hpp>
#include <ul/train/system_calls.hpp>

namespace ul {

// Every member throws ul::error naming the path and the reason. After a failed sync the kernel may have dropped the
// pages: such a file is lost, and its writer starts another one.
template <class System = system_calls>
class durable_file {
 public:
  durable_file(System& system, std::string path) : system_(system), path_(std::move(path)), file_(open()) {}
  durable_file(const durable_file&) = delete;
  ~durable_file() {
    if (file_ >= 0) system_.close(file_);
  }

  void write(byte_view bytes) {
    checksum_ = crc32(bytes, checksum_);
    size_ += static_cast<extent>(bytes.size());
    while (!bytes.empty()) {
      const ::ssize_t wrote = system_.write(file_, bytes.data(), (std::min)(bytes.size(), std::size_t{1} << 30));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) detail::fail_system(path_, "cannot write", errno);
      if (wrote == 0) fail(printable(path_), ": cannot write: no progress");
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
  }

  void finish() {
    if (system_.sync(file_) != 0) detail::fail_system(path_, "cannot sync", errno);
    if (system_.close(std::exchange(file_, -1)) != 0 && errno != EINTR)
      detail::fail_system(path_, "cannot close", errno);
  }

  extent size() const { return size_; }
  std::uint32_t checksum() const { return checksum_; }  // CRC-32

 private:
  int open() {
    const int file = system_.open_new(path_);
    if (file < 0) detail::fail_system(path_, "cannot create", errno);
    return file;
  }

  System& system_;
  std::string path_;
  int file_;
  extent size_ = 0;
  std::uint32_t checksum_ = 0;
};

// Makes what was created, renamed or removed in a directory survive a power cut.
template <class System>
void sync_directory(System& system, const std::string& path) {
  const int directory = system.open_directory(path);
  if (directory < 0) detail::fail_system(path, "cannot open", errno);
  const int reason = system.sync(directory) == 0 ? 0 : errno;
  system.close(directory);
  // Some file systems cannot sync a directory and say EINVAL.
  if (reason != 0 && reason != EINVAL) detail::fail_system(path, "cannot sync", reason);
}

}  // namespace ul
