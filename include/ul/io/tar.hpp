#pragma once
// The files in a tar archive held in memory: ustar, pax and GNU long names. Source: POSIX.1-2017, pax, "ustar
// Interchange Format".

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ul/io/bytes.hpp>

namespace ul {

struct tar_entry {
  std::string name;
  byte_view content;  // into the archive's bytes
};

namespace detail {

inline std::string_view until_nul(std::string_view field) { return field.substr(0, field.find('\0')); }

// A number of a header: octal digits, or big-endian binary behind a byte of 0x80.
inline extent tar_number(byte_view field, const byte_cursor& cursor, const char* what) {
  extent value = 0;
  const bool binary = field[0] == 0x80;
  for (std::size_t i = binary; i < field.size(); ++i) {
    const unsigned char c = field[i];
    if (!binary && (c == ' ' || c == '\0')) {
      if (value == 0 && c == ' ') continue;
      break;
    }
    if (!binary && (c < '0' || c > '7')) cursor.fail_here("bad tar header: ", what, " is no octal number");
    if (value > extent_max >> 8) cursor.fail_here("bad tar header: ", what, " overflows");
    value = binary ? value << 8 | c : value << 3 | (c - '0');
  }
  return value;
}

// The path of a pax header: records "LENGTH KEY=VALUE\n". Empty without one.
inline std::string pax_path(std::string_view records, const byte_cursor& cursor) {
  std::string path;
  while (!records.empty()) {
    std::size_t length = 0, digits = 0;
    while (digits < records.size() && digits < 9 && records[digits] >= '0' && records[digits] <= '9') {
      length = 10 * length + static_cast<std::size_t>(records[digits++] - '0');
    }
    if (length <= digits + 1 || length > records.size() || records[digits] != ' ' || records[length - 1] != '\n') {
      cursor.fail_here("bad pax header");
    }
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    if (record.starts_with("path=")) path = record.substr(5);
    records.remove_prefix(length);
  }
  return path;
}

}  // namespace detail

// The regular files of an archive in its order; directories, links and devices are left out. `name` stands in the
// errors. The entries point into `bytes`. Throws ul::error on a wrong check sum or number, or an archive cut off.
inline std::vector<tar_entry> parse_tar(byte_view bytes, std::string_view name) {
  constexpr extent block = 512;
  byte_cursor cursor(bytes, name);
  std::vector<tar_entry> entries;
  std::string long_name;
  while (cursor.remaining() > 0) {
    const byte_view header = cursor.take(block, "tar header");
    const std::string_view text = as_text(header);
    if (text.find_first_not_of('\0') == text.npos) return entries;  // the end mark
    unsigned sum = 0;
    for (std::size_t i = 0; i < header.size(); ++i) sum += i >= 148 && i < 156 ? ' ' : header[i];
    if (detail::tar_number(header.subspan(148, 8), cursor, "check sum") != extent{sum}) {
      cursor.fail_here("bad tar header: wrong check sum");
    }
    const extent size = detail::tar_number(header.subspan(124, 12), cursor, "size");
    const byte_view content = cursor.take(size, "tar entry");
    cursor.take((std::min)((block - size % block) % block, cursor.remaining()), "padding");
    const char type = text[156];
    if (type == 'L') {
      long_name = detail::until_nul(as_text(content));
    } else if (type == 'x') {
      long_name = detail::pax_path(as_text(content), cursor);
    } else if (type != 'g') {
      std::string path(detail::until_nul(text.substr(0, 100)));
      const bool ustar = text.substr(257, 5) == "ustar" && text[262] == '\0';
      if (ustar && text[345] != '\0') path = std::string(detail::until_nul(text.substr(345, 155))) + "/" + path;
      if (!long_name.empty()) path = std::exchange(long_name, {});
      if (type == '0' || type == '\0' || type == '7') entries.push_back({std::move(path), content});
    }
  }
  if (entries.empty()) cursor.fail_here("the archive is empty");
  return entries;
}

}  // namespace ul
