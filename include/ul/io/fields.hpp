#pragma once
// JSON objects into structs: every member is read into a variable by name, and what nobody asked for is an error.
//
//   ul::fields f(ul::read_json(path), path);
//   f.read("steps", config.steps);                   // kept as it is when absent
//   f.nested("model", [&](ul::fields& m) { m.require("width", config.width); });
//   f.finish();                                      // "run.json: unknown key stpes, did you mean steps?"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ul/io/json.hpp>
#include <ul/io/nearest_name.hpp>

namespace ul {

class fields {
 public:
  // `name` (a file) stands in front of every error, `path` in front of every key. `object` must outlive this.
  // Throws ul::error unless it is a JSON object.
  explicit fields(const json& object, std::string_view name = "config", std::string_view path = "")
      : object_(object), name_(name), path_(path) {
    guarded([&] { object_.members(path_.empty() ? "the top level" : path_); });
  }
  explicit fields(json&&, std::string_view = "", std::string_view = "") = delete;

  // The member into `out`: a bool, an integer, a real, a string, a json, or a vector of such. False, and `out` as it
  // was, when it is absent. Throws ul::error "NAME: train.steps must be an integer, got string", also out of range.
  template <class T>
  bool read(std::string_view key, T& out) {
    const json* value = take(key);
    if (value) guarded([&] { convert(*value, full(key), out); });
    return value != nullptr;
  }

  // The same; absent is an error.
  template <class T>
  void require(std::string_view key, T& out) {
    if (!read(key, out)) fail(printable(name_), ": ", printable(full(key)), " is missing");
  }

  // A string that is one of the known names -> the value that goes with it.
  template <class T>
  bool read(std::string_view key, T& out, std::initializer_list<std::pair<std::string_view, T>> known) {
    std::string word;
    if (!read(key, word)) return false;
    std::string list;
    for (const auto& [name, value] : known) {
      if (name == word) {
        out = value;
        return true;
      }
      list += (list.empty() ? "" : ", ") + std::string(name);
    }
    fail(printable(name_), ": ", printable(full(key)), " is \"", printable(word), "\", expected one of ", list);
  }

  // A member that is an object, read by `visit(fields&)`; its unknown keys are refused too.
  template <class Visit>
  bool nested(std::string_view key, Visit&& visit) {
    const json* value = take(key);
    if (value) {
      fields inner(*value, name_, full(key));
      visit(inner);
      inner.finish();
    }
    return value != nullptr;
  }

  // Throws ul::error "NAME: train.steps ..." about a member whose value will not do.
  template <class... Parts>
  [[noreturn]] void refuse(std::string_view key, const Parts&... parts) const {
    fail(printable(name_), ": ", printable(full(key)), parts...);
  }

  // Throws ul::error when the object has a key that was not asked for.
  void finish() const {
    for (const auto& [key, value] : object_.members()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string_view meant = nearest_name(key, known_);
      fail(printable(name_), ": unknown key ", printable(full(key)), meant.empty() ? "" : ", did you mean ",
           meant.empty() ? "" : full(meant), meant.empty() ? "" : "?");
    }
  }

 private:
  std::string full(std::string_view key) const { return (path_.empty() ? "" : path_ + ".") + std::string(key); }

  const json* take(std::string_view key) {
    known_.emplace_back(key);
    return object_.find(key);
  }

  // Adds the file's name to the errors of a json accessor.
  template <class Action>
  void guarded(Action&& action) const {
    try {
      action();
    } catch (const error& e) {
      fail(printable(name_), ": ", e.what());
    }
  }

  template <class T>
  static void convert(const json& value, const std::string& key, T& out) {
    if constexpr (std::same_as<T, bool>) {
      out = value.boolean(key);
    } else if constexpr (std::integral<T>) {
      out = value.integer<T>(key);
    } else if constexpr (std::floating_point<T>) {
      const double number = value.number(key);
      if (std::abs(number) > (std::numeric_limits<T>::max)()) fail(printable(key), " is ", number, ", out of range");
      out = static_cast<T>(number);
    } else if constexpr (std::same_as<T, std::string>) {
      out = value.string(key);
    } else if constexpr (std::same_as<T, json>) {
      out = value;
    } else {
      T elements;
      for (const json& element : value.elements(key)) {
        const std::string position = key + "[" + std::to_string(elements.size()) + "]";
        convert(element, position, elements.emplace_back());
      }
      out = std::move(elements);
    }
  }

  const json& object_;
  std::string name_, path_;
  std::vector<std::string> known_;
};

}  // namespace ul
