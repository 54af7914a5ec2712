#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ul/io/read_file.hpp>
#include <ul/io/write_file.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

std::string read_error(const std::string& path, ul::extent limit = ul::default_file_limit) {
  return error_of([&] { ul::read_file(path, limit); });
}

std::size_t entries(const support::scratch& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) ++count;
  return count;
}

}  // namespace

TEST_CASE("printable: control characters are escaped and long texts cut") {
  CHECK(ul::printable("plain text") == "plain text");
  CHECK(ul::printable(std::string_view("a\0\n\x1b[2J\xff", 8)) == "a\\x00\\x0a\\x1b[2J\\xff");
  CHECK(ul::printable("0123456789", 4) == "01...89");
  CHECK(ul::printable(std::string(100000, '\x01')).size() < 1000);
}

TEST_CASE("byte_cursor: both byte orders, and an error beyond the end") {
  const ul::byte_vector bytes{1, 2, 3, 4, 5, 6, 7, 8, 0xff};
  ul::byte_cursor cursor(bytes, "some\nfile");
  CHECK(cursor.little<std::uint32_t>("a") == 0x04030201u);
  CHECK(cursor.big<std::uint16_t>("b") == 0x0506u);
  CHECK(cursor.big<std::uint8_t>("c") == 7u);
  CHECK(cursor.offset() == 7);
  CHECK(cursor.remaining() == 2);
  CHECK(error_of([&] { cursor.little<std::uint64_t>("size"); }) ==
        "some\\x0afile: byte 7: size: needs 8 bytes, 2 are left");
  CHECK(contains(error_of([&] { cursor.take(-1, "size"); }), "needs -1 bytes"));
  CHECK(contains(error_of([&] { cursor.take(ul::extent_max, "size"); }), "2 are left"));
  CHECK(cursor.little<std::uint16_t>("still usable") == 0xff08u);
  ul::byte_vector written;
  ul::append_little(written, std::uint32_t{0x04030201});
  ul::append_big(written, std::uint32_t{0x05060708});
  CHECK(std::equal(written.begin(), written.end(), bytes.begin()));
}

TEST_CASE("read_file: what was written comes back") {
  const support::scratch directory;
  ul::byte_vector bytes(100001);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * i >> 3);
  ul::write_file(directory / "a", bytes);
  CHECK(ul::read_file(directory / "a") == bytes);
  CHECK(ul::read_file(directory / "a", 100001) == bytes);
  ul::write_file(directory / "a", "short");
  CHECK(ul::as_text(ul::read_file(directory / "a")) == "short");
  CHECK(entries(directory) == 1);
}

TEST_CASE("read_file: every kind of wrong path has its error") {
  const support::scratch directory;
  const std::string path = directory / "x";
  CHECK(read_error(path) == path + ": cannot open: no such file or directory");
  CHECK(contains(read_error(directory.path()), "is a directory"));
  CHECK(contains(read_error(""), "the path is empty"));
  CHECK(contains(read_error(std::string("a\0b", 3)), "a\\x00b: cannot open: the path contains a NUL"));
  CHECK(contains(read_error(std::string(10000, 'a')), "cannot open: file name too long"));
  CHECK(contains(read_error("/dev/null"), "not a regular file"));
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(contains(read_error(path), "not a regular file"));
  REQUIRE(::symlink("loop", (directory / "loop").c_str()) == 0);
  CHECK(contains(read_error(directory / "loop"), "cannot open: too many levels of symbolic links"));
  ul::write_file(directory / "empty", "");
  CHECK(contains(read_error(directory / "empty"), "the file is empty"));
  ul::write_file(directory / "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  CHECK(contains(read_error(directory / "lfs"), "looks like a Git LFS pointer"));
  ul::write_file(directory / "five", "12345");
  CHECK(contains(read_error(directory / "five", 4), "the file has 5 bytes, the limit is 4"));
  REQUIRE(::truncate((directory / "five").c_str(), ul::extent{1} << 40) == 0);  // sparse
  CHECK(contains(read_error(directory / "five"), "the file has 1099511627776 bytes, the limit is 4294967296"));
  REQUIRE(::chmod((directory / "empty").c_str(), 0) == 0);
  if (::geteuid() != 0) CHECK(contains(read_error(directory / "empty"), "cannot open: permission denied"));
  // Files of /proc say size 0 and hold text: never taken for what they are not.
  CHECK(contains(read_error("/proc/self/status"), "empty"));
}

TEST_CASE("atomic_file: the old file stays until commit, and nothing is left behind") {
  const support::scratch directory;
  const std::string path = directory / "a";
  ul::write_file(path, "old");
  {
    ul::atomic_file file(path);
    file.write("new and incomplete");
    CHECK(entries(directory) == 2);
    CHECK(ul::as_text(ul::read_file(path)) == "old");
  }
  CHECK(entries(directory) == 1);
  CHECK(ul::as_text(ul::read_file(path)) == "old");
  ul::atomic_file first(path), second(path);  // two writers: each whole, the last one stays
  first.write("first");
  second.write("second");
  first.commit();
  CHECK(ul::as_text(ul::read_file(path)) == "first");
  second.commit();
  CHECK(ul::as_text(ul::read_file(path)) == "second");
  CHECK(entries(directory) == 1);
}

TEST_CASE("atomic_file: a failed write names path and reason, and leaves the old file") {
  const support::scratch directory;
  const std::string path = directory / "a";
  ul::write_file(path, "old");
  const auto write_error = [](const std::string& to, const ul::byte_vector& bytes) {
    return error_of([&] { ul::write_file(to, bytes); });
  };
  CHECK(contains(write_error(directory / "none/a", {1}), "none/a: cannot create: no such file or directory"));
  CHECK(contains(write_error(directory / "a/b", {1}), "a/b: cannot create: not a directory"));
  CHECK(contains(write_error(directory.path(), {1}), "cannot write: is a directory"));
  CHECK(contains(write_error("/dev/full", {1}), "/dev/full: cannot write: no space left on device"));
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(write_error("/dev/null", {1}) == "no error");

  // A limit on the size of files: first a short write, then EFBIG.
  ::rlimit kept;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &kept) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const ::rlimit small{4096, kept.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string large = write_error(path, ul::byte_vector(10000, 1));
  CHECK(write_error(path, ul::byte_vector(4096, 1)) == "no error");
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &kept) == 0);
  ::signal(SIGXFSZ, handler);
  CHECK(contains(large, "a: cannot write: file too large"));
  CHECK(ul::read_file(path).size() == 4096);
  CHECK(entries(directory) == 1);
}
