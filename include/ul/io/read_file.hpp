#pragma once
// A whole regular file in memory. Nothing is mapped: a file that shrinks meanwhile is an error, not a signal.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include <ul/io/bytes.hpp>
#include <ul/io/descriptor.hpp>

namespace ul {

// The largest file read_file takes unless told otherwise: 4 GiB.
inline constexpr extent default_file_limit = extent{1} << 32;

// path -> the bytes of that file. Throws ul::error naming the path: "cannot open" with the reason, "is a directory",
// "not a regular file", "empty", more than `limit` bytes, too little memory, "changed while reading", or a pointer
// file of Git LFS in place of the data.
inline byte_vector read_file(const std::string& path, extent limit = default_file_limit) {
  const std::string name = printable(path);
  // Without O_NONBLOCK opening a FIFO would wait for a writer.
  const detail::descriptor file(::open(detail::system_path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) detail::fail_system(path, "cannot open", errno);
  struct ::stat status;
  if (::fstat(file.number(), &status) != 0) detail::fail_system(path, "cannot read its size", errno);
  if (S_ISDIR(status.st_mode)) fail(name, ": is a directory, expected a file");
  if (!S_ISREG(status.st_mode)) fail(name, ": not a regular file");
  const extent size = status.st_size;
  if (size == 0) fail(name, ": the file is empty");
  if (size > limit) fail(name, ": the file has ", size, " bytes, the limit is ", limit);

  byte_vector bytes;
  try {
    bytes.resize(static_cast<std::size_t>(size));
  } catch (const std::exception&) {  // bad_alloc or length_error
    fail(name, ": out of memory: needs ", size, " bytes");
  }
  extent done = 0;
  unsigned char beyond;
  for (;;) {
    // At the end one more byte is asked for: there must be none.
    const ::ssize_t got = done < size
                              ? ::pread(file.number(), bytes.data() + done, static_cast<std::size_t>(size - done), done)
                              : ::pread(file.number(), &beyond, 1, done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) detail::fail_system(path, "cannot read", errno);
    if ((got == 0) != (done == size)) fail(name, ": changed while reading, it had ", size, " bytes");
    if (got == 0) break;
    done += got;
  }
  if (starts_with(bytes, "version https://git-lfs")) {
    fail(name, ": looks like a Git LFS pointer, not the data itself; fetch it with `git lfs pull`");
  }
  return bytes;
}

}  // namespace ul
