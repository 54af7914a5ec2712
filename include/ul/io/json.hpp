#pragma once
// A JSON value. Integers of 64 bits are exact, apart from reals; the members of an object keep their order.
// Source: RFC 8259. Reading: json_reader.hpp; writing: json_writer.hpp; into structs: fields.hpp.

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ul/core/error.hpp>
#include <ul/io/printable.hpp>

namespace ul {

namespace detail {

// A template, so that it may hold the class that is being defined.
template <class V>
struct json_member {
  std::string key;
  V value;

  friend bool operator==(const json_member& a, const json_member& b) { return a.key == b.key && a.value == b.value; }
};

}  // namespace detail

class json {
 public:
  using member = detail::json_member<json>;
  using array = std::vector<json>;
  using object = std::vector<member>;

  json() = default;  // null
  json(std::nullptr_t) {}
  json(std::same_as<bool> auto b) : value_(b) {}
  json(std::floating_point auto x) : value_(static_cast<double>(x)) {}
  json(std::integral auto n) requires(!std::same_as<decltype(n), bool>) {
    if (std::in_range<std::int64_t>(n)) {
      value_ = static_cast<std::int64_t>(n);
    } else {
      value_ = static_cast<std::uint64_t>(n);
    }
  }
  json(const char* text) : value_(std::string(text)) {}
  json(std::string_view text) : value_(std::string(text)) {}
  json(std::string text) : value_(std::move(text)) {}
  json(array elements) : value_(std::move(elements)) {}
  json(object members) : value_(std::move(members)) {}

  bool is_null() const { return is<std::monostate>(); }
  bool is_boolean() const { return is<bool>(); }
  bool is_integer() const { return is<std::int64_t>() || is<std::uint64_t>(); }
  bool is_real() const { return is<double>(); }
  bool is_string() const { return is<std::string>(); }
  bool is_array() const { return is<array>(); }
  bool is_object() const { return is<object>(); }

  // What it is, for messages: "integer", "string" ...
  const char* kind() const {
    constexpr const char* names[] = {"null",        "boolean", "integer", "integer",
                                     "real number", "string",  "array",   "object"};
    return names[value_.index()];
  }

  // The value as one type. Throws ul::error "NAME must be a string, got integer" when it is another.
  bool boolean(std::string_view name = "value") const { return get<bool>(name, "a boolean"); }
  const std::string& string(std::string_view name = "value") const { return get<std::string>(name, "a string"); }
  const array& elements(std::string_view name = "value") const { return get<array>(name, "an array"); }
  const object& members(std::string_view name = "value") const { return get<object>(name, "an object"); }

  // A real number or an integer; above 2^53 the nearest double.
  double number(std::string_view name = "value") const;

  // An integer, or a real number that is one exactly (1e3 is, 1.5 is not), that I can hold.
  template <std::integral I>
  I integer(std::string_view name = "value") const;

  // The member of that key, or null without one or in a value that is no object.
  const json* find(std::string_view key) const;

  // The member of that key. Throws ul::error when there is none.
  const json& operator[](std::string_view key) const;

  // Sets or adds a member; a null becomes an object first.
  json& set(std::string_view key, json value);

  friend bool operator==(const json& a, const json& b);

 private:
  friend class json_writer;

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(value_);
  }
  template <class T>
  const T& get(std::string_view name, const char* expected) const {
    if (const T* found = std::get_if<T>(&value_)) return *found;
    fail(printable(name), " must be ", expected, ", got ", kind());
  }

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, array, object> value_;
};

inline bool operator==(const json& a, const json& b) { return a.value_ == b.value_; }

inline double json::number(std::string_view name) const {
  if (const auto* n = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*n);
  if (const auto* n = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*n);
  return get<double>(name, "a number");
}

template <std::integral I>
I json::integer(std::string_view name) const {
  const auto narrow = [&](auto n) {
    if (!std::in_range<I>(n)) {
      fail(printable(name), " is ", n, ", expected ", (std::numeric_limits<I>::min)(), " to ",
           (std::numeric_limits<I>::max)());
    }
    return static_cast<I>(n);
  };
  if (const auto* x = std::get_if<double>(&value_)) {
    if (!(*x >= -0x1p53 && *x <= 0x1p53) || static_cast<double>(static_cast<std::int64_t>(*x)) != *x) {
      fail(printable(name), " must be an integer, got ", *x);
    }
    return narrow(static_cast<std::int64_t>(*x));
  }
  if (const auto* n = std::get_if<std::uint64_t>(&value_)) return narrow(*n);
  return narrow(get<std::int64_t>(name, "an integer"));
}

inline const json* json::find(std::string_view key) const {
  if (const object* all = std::get_if<object>(&value_)) {
    for (const member& each : *all) {
      if (each.key == key) return &each.value;
    }
  }
  return nullptr;
}

inline const json& json::operator[](std::string_view key) const {
  if (const json* found = find(key)) return *found;
  members(key);
  fail("json: there is no member \"", printable(key), "\"");
}

inline json& json::set(std::string_view key, json value) {
  if (is_null()) value_ = object{};
  members(key);
  for (member& each : std::get<object>(value_)) {
    if (each.key == key) {
      each.value = std::move(value);
      return *this;
    }
  }
  std::get<object>(value_).push_back({std::string(key), std::move(value)});
  return *this;
}

}  // namespace ul
