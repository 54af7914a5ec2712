#pragma once
// Text that came from a file or a command line, made fit for a message: control characters and bytes outside ASCII
// are written as \xNN, and a long text is cut in the middle, so that neither a terminal nor a log can be abused.

#include <string>
#include <string_view>

namespace ul {

inline std::string printable(std::string_view text, std::size_t limit = 200) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  const bool cut = text.size() > limit;
  const std::size_t head = cut ? limit / 2 : text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (cut && i == head) {
      out += "...";
      i = text.size() - limit / 2;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f) {
      out += text[i];
    } else {
      out += "\\x";
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

}  // namespace ul
