#pragma once
// An open file of the operating system, and the operating system's reasons as text for ul::error.

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <ul/core/error.hpp>
#include <ul/io/printable.hpp>

namespace ul::detail {

// "no space left on device": the reason of an errno value, without the locale and safe between threads.
inline std::string reason(int number) {
  std::string text = std::generic_category().message(number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

[[noreturn]] inline void fail_system(const std::string& path, const char* what, int number) {
  fail_as(error_kind::system, printable(path), ": ", what, ": ", reason(number));
}

// A path for the operating system. Throws ul::error when it is empty or would be cut at a NUL.
inline const char* system_path(const std::string& path) {
  if (path.empty()) fail("cannot open a file: the path is empty");
  if (path.find('\0') != std::string::npos) fail(printable(path), ": cannot open: the path contains a NUL");
  return path.c_str();
}

class descriptor {
 public:
  explicit descriptor(int number = -1) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

  // Closes; 0 or the errno value. An interrupted close has closed on Linux, so it is never repeated.
  int close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR ? 0 : errno; }

 private:
  int number_;
};

}  // namespace ul::detail
