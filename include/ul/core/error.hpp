#pragma once
// The one exception of the library. A caller's mistake throws it with a message that names the operation, what was
// found and what was expected: "linear: x has 3 features, weight expects 4". The text lives inside the exception, so
// that throwing allocates nothing but the exception itself, even when memory is what ran out; a longer text is cut.

#include <charconv>
#include <concepts>
#include <exception>
#include <type_traits>

namespace ul {

// A line of text of bounded length, written without allocating.
class message {
 public:
  static constexpr unsigned capacity = 1000;

  const char* c_str() const { return text_; }
  unsigned size() const { return size_; }

  void append(const char* text, unsigned long length) {
    while (length-- != 0 && size_ + 1 < capacity) text_[size_++] = *text++;
    text_[size_] = '\0';
  }

 private:
  char text_[capacity] = {};
  unsigned size_ = 0;
};

namespace detail {

inline void append_to(message& out, const char* text) {
  unsigned long length = 0;
  while (text[length] != '\0') ++length;
  out.append(text, length);
}
inline void append_to(message& out, char c) { out.append(&c, 1); }
inline void append_to(message& out, bool b) { append_to(out, b ? "true" : "false"); }

// Numbers are written without the locale: a decimal comma never enters a message.
template <class N>
  requires std::is_arithmetic_v<N>
void append_to(message& out, N number) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<unsigned long>(end - digits));
}

// std::string, std::string_view and their like.
template <class S>
  requires requires(const S& s) {
    { s.data() } -> std::convertible_to<const char*>;
    s.size();
  }
void append_to(message& out, const S& text) {
  out.append(text.data(), text.size());
}

}  // namespace detail

// What went wrong, as far as a program would act on it differently, such as by its exit code.
enum class error_kind {
  usage,     // the caller's mistake, and everything that is none of the others
  input,     // a file or a data set that cannot be what it should
  system,    // the operating system refused: no such file, no permission, a full disk
  diverged,  // training that gives no finite numbers
  locked     // what is needed is in use by another process
};

class error : public std::exception {
 public:
  explicit error(const message& text, error_kind kind = error_kind::usage) : text_(text), kind_(kind) {}
  explicit error(const char* text) { detail::append_to(text_, text); }

  const char* what() const noexcept override { return text_.c_str(); }
  error_kind kind() const noexcept { return kind_; }

 private:
  message text_;
  error_kind kind_ = error_kind::usage;
};

// Joins parts (text, numbers, and anything with an `append_to(ul::message&, part)` of its own) into one message.
template <class... Parts>
message describe(const Parts&... parts) {
  using detail::append_to;
  message out;
  (append_to(out, parts), ...);
  return out;
}

// Throws ul::error with the joined parts as its text.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw error(describe(parts...));
}
template <class... Parts>
[[noreturn]] void fail_as(error_kind kind, const Parts&... parts) {
  throw error(describe(parts...), kind);
}

}  // namespace ul
