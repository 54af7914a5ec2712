#pragma once
// What the tests of io/ and data/ share: the text of an error, damaged copies of a file, a scratch directory.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include <ul/io/bytes.hpp>

namespace support {

// The text of the ul::error that `action` throws; "no error" without one.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const ul::error& e) {
    return e.what();
  }
  return "no error";
}

// Whether `text` contains `part`; says what it found instead.
inline bool contains(std::string_view text, std::string_view part) {
  const bool found = text.find(part) != text.npos;
  if (!found) MESSAGE("expected \"" << std::string(part) << "\" in \"" << std::string(text) << "\"");
  return found;
}

// Gives `parse` every prefix of `bytes`, every single byte changed in three ways, and the bytes with one appended.
// Anything but a result or ul::error with a text escapes and fails the test. Returns the number of refused inputs.
template <class Parse>
int torture(ul::byte_view bytes, Parse&& parse) {
  int refused = 0;
  const auto attempt = [&](const ul::byte_vector& damaged) {
    try {
      parse(damaged);
    } catch (const ul::error& e) {
      if (*e.what() != '\0') ++refused;
    }
  };
  for (std::size_t n = 0; n < bytes.size(); ++n) attempt({bytes.begin(), bytes.begin() + static_cast<long>(n)});
  ul::byte_vector copy(bytes.begin(), bytes.end());
  for (unsigned char& byte : copy) {
    const unsigned char kept = byte;
    for (const int flip : {0x01, 0x80, 0xff}) {
      byte = static_cast<unsigned char>(kept ^ flip);
      attempt(copy);
    }
    byte = kept;
  }
  copy.push_back('x');
  attempt(copy);
  return refused;
}

// A directory of its own, removed with everything in it.
class scratch {
 public:
  scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ul-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  scratch(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace support
