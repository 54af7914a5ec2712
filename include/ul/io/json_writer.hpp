#pragma once
// JSON value -> text. The same value always gives the same text, and the text reads back as an equal value: reals are
// the shortest decimals that do, and keep a point or an exponent, so that they stay apart from integers.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include <ul/io/json.hpp>
#include <ul/io/utf8.hpp>

namespace ul {

class json_writer {
 public:
  explicit json_writer(int indent) : indent_(indent) {}

  std::string take() { return std::move(out_); }

  void write(const json& value) {
    std::visit([this](const auto& v) { put(v); }, value.value_);
  }

 private:
  void put(std::monostate) { out_ += "null"; }
  void put(bool b) { out_ += b ? "true" : "false"; }
  template <class N>
  requires std::is_arithmetic_v<N>
  void put(N number) {
    if constexpr (std::is_floating_point_v<N>) {
      if (!std::isfinite(number)) fail("json: cannot write ", number, ", JSON has finite numbers only");
    }
    char digits[32];
    const std::string_view text(digits,
                                static_cast<std::size_t>(std::to_chars(digits, digits + 32, number).ptr - digits));
    out_ += text;
    if (std::is_floating_point_v<N> && text.find_first_of(".e") == text.npos) out_ += ".0";
  }
  void put(const std::string& text) {
    if (const std::size_t bad = find_invalid_utf8(text); bad != text.npos) {
      fail("json: cannot write \"", printable(text), "\", byte ", bad, " is not UTF-8");
    }
    constexpr std::string_view special = "\"\\\b\f\n\r\t", names = "\"\\bfnrt";
    constexpr char hex[] = "0123456789abcdef";
    out_ += '"';
    for (const char c : text) {
      if (const std::size_t found = special.find(c); found != special.npos) {
        out_ += '\\';
        out_ += names[found];
      } else if (static_cast<unsigned char>(c) < 0x20) {
        out_ += "\\u00";
        out_ += hex[c >> 4];
        out_ += hex[c & 15];
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }
  void put(const json::array& elements) {
    const auto nested = [](const json& e) { return e.is_array() || e.is_object(); };
    const bool lines = std::any_of(elements.begin(), elements.end(), nested);  // numbers share a line
    put_items('[', ']', elements, lines, [this](const json& element) { write(element); });
  }
  void put(const json::object& members) {
    put_items('{', '}', members, true, [this](const json::member& each) {
      put(each.key);
      out_ += ": ";
      write(each.value);
    });
  }

  template <class Items, class Put>
  void put_items(char open, char close, const Items& items, bool lines, Put put_item) {
    lines = lines && indent_ > 0 && !items.empty();
    out_ += open;
    level_ += lines;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += lines ? "," : ", ";
      if (lines) new_line();
      put_item(items[i]);
    }
    level_ -= lines;
    if (lines) new_line();
    out_ += close;
  }
  void new_line() {
    out_ += '\n';
    out_.append(static_cast<std::size_t>(level_ * indent_), ' ');
  }

  std::string out_;
  int indent_, level_ = 0;
};

// value -> text: on one line, or with `indent` > 0 on many, that much further in at every level. Throws ul::error on
// NaN, an infinity, or a string that is not UTF-8.
inline std::string to_text(const json& value, int indent = 0) {
  json_writer writer(indent);
  writer.write(value);
  return writer.take();
}

}  // namespace ul
