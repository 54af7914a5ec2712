#pragma once
// Bytes in memory and a bounded cursor over them: the only way the parsers of this floor touch untrusted input.

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/core/error.hpp>
#include <ul/io/printable.hpp>

namespace ul {

using byte_vector = std::vector<unsigned char>;
using byte_view = std::span<const unsigned char>;

// The bytes of a text, for parsers and writers that take bytes.
inline byte_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

inline std::string_view as_text(byte_view bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline bool starts_with(byte_view bytes, std::string_view prefix) { return as_text(bytes).starts_with(prefix); }

// The bytes of an unsigned integer, least (little) or most (big) significant first, appended to `out`.
template <std::unsigned_integral U>
void append_little(byte_vector& out, U value) {
  for (unsigned i = 0; i < sizeof(U); ++i) out.push_back(static_cast<unsigned char>(value >> (8 * i)));
}
template <std::unsigned_integral U>
void append_big(byte_vector& out, U value) {
  for (unsigned i = sizeof(U); i-- > 0;) out.push_back(static_cast<unsigned char>(value >> (8 * i)));
}

// Not by insert(), in which g++ 12 at -O3 sees an overflow that is not there.
inline void append_bytes(byte_vector& out, byte_view bytes) {
  const std::size_t size = out.size();
  out.resize(size + bytes.size());
  std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(size));
}

// Reads forward through bytes and never beyond them. `name` (a path) stands in every error with the byte offset:
// "a.idx: byte 4: extents: needs 12 bytes, 3 are left". Bytes and name must outlive the cursor.
class byte_cursor {
 public:
  byte_cursor(byte_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  std::string_view name() const { return name_; }
  extent offset() const { return offset_; }
  extent remaining() const { return static_cast<extent>(bytes_.size()) - offset_; }

  // The next `count` bytes. Throws ul::error naming `what` when fewer are left.
  byte_view take(extent count, const char* what) {
    if (count < 0 || count > remaining()) {
      fail_here(what, ": needs ", count, " bytes, ", remaining(), " are left");
    }
    const byte_view taken = bytes_.subspan(static_cast<std::size_t>(offset_), static_cast<std::size_t>(count));
    offset_ += count;
    return taken;
  }

  template <std::unsigned_integral U>
  U little(const char* what) {
    const byte_view raw = take(sizeof(U), what);
    U value = 0;
    for (unsigned i = sizeof(U); i-- > 0;) value = static_cast<U>(value << (sizeof(U) > 1 ? 8 : 0)) | raw[i];
    return value;
  }
  template <std::unsigned_integral U>
  U big(const char* what) {
    const byte_view raw = take(sizeof(U), what);
    U value = 0;
    for (unsigned i = 0; i < sizeof(U); ++i) value = static_cast<U>(value << (sizeof(U) > 1 ? 8 : 0)) | raw[i];
    return value;
  }

  // Throws ul::error about the present position.
  template <class... Parts>
  [[noreturn]] void fail_here(const Parts&... parts) const {
    fail(printable(name_), ": byte ", offset_, ": ", parts...);
  }

 private:
  byte_view bytes_;
  std::string_view name_;
  extent offset_ = 0;
};

}  // namespace ul
