#pragma once
// JSON text -> value, strictly by RFC 8259: no comments, no trailing commas, no duplicate keys, valid UTF-8 only.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <ul/io/json.hpp>
#include <ul/io/read_file.hpp>
#include <ul/io/utf8.hpp>

namespace ul {

struct json_limits {
  extent bytes = extent{16} << 20;
  int depth = 64;  // arrays and objects inside each other
};

namespace detail {

class json_parser {
 public:
  json_parser(std::string_view text, std::string_view name, const json_limits& limits)
      : text_(text), name_(name), limits_(limits) {}

  json parse() {
    if (static_cast<extent>(text_.size()) > limits_.bytes) {
      fail(printable(name_), ": the text has ", text_.size(), " bytes, the limit is ", limits_.bytes);
    }
    if (text_.starts_with("\xef\xbb\xbf")) fail_here("a byte order mark; save the file without it");
    at_ = find_invalid_utf8(text_);
    if (at_ != text_.npos) fail_here("invalid UTF-8");
    at_ = 0;
    skip_space();
    if (at_ == text_.size()) fail_here("there is no value, the text is empty");
    json value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) fail_here("unexpected ", shown(), " after the value");
    return value;
  }

 private:
  // Throws at the present position, as "name:line:column: ...", columns in bytes.
  template <class... Parts>
  [[noreturn]] void fail_here(const Parts&... parts) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    fail(printable(name_), ":", line, ":", column, ": ", parts...);
  }

  std::string shown() const { return at_ < text_.size() ? describe("'", printable(text_.substr(at_, 1)), "'").c_str() : "end of text"; }
  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool at_digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }

  void skip_space() {
    while (at(' ') || at('\n') || at('\r') || at('\t')) ++at_;
  }

  json parse_value(int depth) {
    if (at('{') || at('[')) {
      if (depth == limits_.depth) fail_here("nested too deep, the limit is ", limits_.depth);
      return at('{') ? parse_object(depth + 1) : parse_array(depth + 1);
    }
    if (at('"')) return parse_string();
    if (at('-') || at_digit()) return parse_number();
    if (take_word("true")) return true;
    if (take_word("false")) return false;
    if (take_word("null")) return nullptr;
    for (const std::string_view word : {"NaN", "nan", "Infinity", "inf"}) {
      if (text_.substr(at_).starts_with(word)) fail_here(word, " is not JSON");
    }
    if (at('\'')) fail_here("strings need double quotes");
    if (at('/') || at('#')) fail_here("comments are not JSON");
    fail_here("expected a value, found ", shown());
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  json parse_array(int depth) {
    json::array elements;
    ++at_;
    skip_space();
    if (at(']')) return ++at_, json::array{};
    for (;;) {
      path_.push_back(describe("[", elements.size(), "]").c_str());
      elements.push_back(parse_value(depth));
      path_.pop_back();
      if (end_of_items(']')) return json(std::move(elements));
    }
  }

  json parse_object(int depth) {
    json::object members;
    std::vector<std::size_t> offsets;
    ++at_;
    skip_space();
    if (at('}')) return ++at_, json::object{};
    for (;;) {
      if (!at('"'))
        fail_here(at('\'') ? "strings need double quotes" : "expected a key in double quotes, found " + shown());
      offsets.push_back(at_);
      members.push_back({parse_string(), {}});
      skip_space();
      if (!at(':')) fail_here("expected ':' after the key, found ", shown());
      ++at_;
      skip_space();
      path_.push_back((path_.empty() ? "" : ".") + members.back().key);
      members.back().value = parse_value(depth);
      path_.pop_back();
      if (end_of_items('}')) break;
    }
    refuse_duplicates(members, offsets);
    return json(std::move(members));
  }

  // After an item: past the closing bracket (true), or past a comma and at the next item.
  bool end_of_items(char close) {
    skip_space();
    if (at(close)) return ++at_, true;
    if (!at(',')) fail_here("expected ',' or '", close, "', found ", shown());
    const std::size_t comma = at_++;
    skip_space();
    if (at(close)) {
      at_ = comma;
      fail_here("a comma before '", close, "'");
    }
    return false;
  }

  void refuse_duplicates(const json::object& members, const std::vector<std::size_t>& offsets) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return members[a].key < members[b].key; });
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (members[order[i]].key != members[order[i - 1]].key) continue;
      at_ = offsets[order[i]];
      std::string path;
      for (const std::string& part : path_) path += part;
      fail_here("duplicate key ", printable(path + (path.empty() ? "" : ".") + members[order[i]].key));
    }
  }

  std::string parse_string() {
    std::string out;
    const std::size_t start = at_++;
    for (;;) {
      const std::size_t plain = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      out += text_.substr(plain, at_ - plain);
      if (at_ == text_.size()) {
        at_ = start;
        fail_here("the string has no end");
      }
      if (at('"')) return ++at_, out;
      if (!at('\\')) fail_here("a control character in a string, expected an escape");
      parse_escape(out);
    }
  }

  void parse_escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const std::size_t start = at_++;
    const std::size_t found = at_ < text_.size() ? names.find(text_[at_]) : names.npos;
    if (found != names.npos) {
      out += meanings[found];
      ++at_;
      return;
    }
    if (!at('u')) fail_here("unknown escape ", shown());
    ++at_;
    std::uint32_t code = parse_hex();
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const std::uint32_t low = parse_hex();
      code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00)) : 0xd800;
    }
    if (code >= 0xd800 && code < 0xe000) {
      at_ = start;
      fail_here("half of a surrogate pair");
    }
    append_utf8(out, code);
  }

  std::uint32_t parse_hex() {
    std::uint32_t code = 0;
    const char* first = text_.data() + at_;
    const char* last = first + (std::min)(std::size_t{4}, text_.size() - at_);
    if (std::from_chars(first, last, code, 16).ptr != first + 4) fail_here("\\u needs four hexadecimal digits");
    at_ += 4;
    return code;
  }

  json parse_number() {
    const std::size_t start = at_;
    const auto digits = [&] {
      if (!at_digit()) fail_here("expected a digit, found ", shown());
      while (at_digit()) ++at_;
    };
    if (at('-')) ++at_;
    const bool zero = at('0');
    if (zero) {
      ++at_;
      if (at_digit()) fail_here("a number must not start with 0");
      if (at('x') || at('X')) fail_here("hexadecimal numbers are not JSON");
    } else {
      digits();
    }
    bool real = false;
    if (at('.')) {
      real = true;
      ++at_;
      digits();
    }
    if (at('e') || at('E')) {
      real = true;
      ++at_;
      if (at('+') || at('-')) ++at_;
      digits();
    }
    const char *first = text_.data() + start, *last = text_.data() + at_;
    const auto convert = [&](auto number) -> json {
      if (std::from_chars(first, last, number).ec == std::errc{}) return number;
      return nullptr;
    };
    json value = real ? convert(double{}) : convert(std::int64_t{});
    if (value.is_null() && !real) value = convert(std::uint64_t{});
    if (value.is_null() || (real && !std::isfinite(value.number()))) {
      at_ = start;
      fail_here(real ? "the number is out of the range of a double" : "the integer does not fit 64 bits");
    }
    return value;
  }

  std::string_view text_, name_;
  json_limits limits_;
  std::size_t at_ = 0;
  std::vector<std::string> path_;
};

}  // namespace detail

// text -> value. `name` (a path) stands in the errors: "run.json:3:7: a comma before '}'". Throws ul::error on anything
// but exactly one JSON value within the limits.
inline json parse_json(std::string_view text, std::string_view name = "json", const json_limits& limits = {}) {
  return detail::json_parser(text, name, limits).parse();
}

// The value in a file. Throws ul::error as read_file and parse_json do.
inline json read_json(const std::string& path, const json_limits& limits = {}) {
  return parse_json(as_text(read_file(path, limits.bytes)), path, limits);
}

}  // namespace ul
