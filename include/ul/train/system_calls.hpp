#pragma once
// The system calls by which a checkpoint is written, as an object: a test puts another in its place and lets any of
// them fail, or records them. Each returns what the system call returns and leaves its reason in errno.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace ul {

struct system_calls {
  int make_directory(const std::string& path) { return ::mkdir(path.c_str(), 0777); }
  int open_new(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  }
  int open_directory(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }
  ::ssize_t write(int file, const void* bytes, std::size_t count) { return ::write(file, bytes, count); }
  int sync(int file) { return ::fsync(file); }
  int close(int file) { return ::close(file); }
  int rename(const std::string& from, const std::string& to) { return std::rename(from.c_str(), to.c_str()); }

  // Bytes that may still be written below a path; -1 when that is unknown.
  long long free_bytes(const std::string& path) {
    struct ::statvfs status;
    if (::statvfs(path.c_str(), &status) != 0) return -1;
    return static_cast<long long>(status.f_bavail) * static_cast<long long>(status.f_frsize);
  }
};

}  // namespace ul
