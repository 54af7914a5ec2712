#pragma once
// Where two configurations differ, key by key.
//
//   ul::require_same_config(saved.config, config, {"train.steps", "train.threads"});   // these may differ

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <ul/io/json_writer.hpp>

namespace ul {

struct config_difference {
  std::string key;       // "train.rate"; arrays are compared whole
  std::string from, to;  // as JSON; "absent" for a key that one of them lacks
};

namespace detail {

inline bool same_value(const json& a, const json& b) {
  const auto number = [](const json& x) { return x.is_integer() || x.is_real(); };
  return a == b || (number(a) && number(b) && a.is_real() != b.is_real() && a.number() == b.number());  // 1 and 1.0
}

inline void find_differences(const json* from, const json* to, const std::string& key,
                             std::vector<config_difference>& out) {
  if (from && to && same_value(*from, *to)) return;
  const auto is_open = [](const json* one, const json* other) {
    return one ? one->is_object() : !other->members().empty();
  };
  const bool objects = (from && from->is_object()) || (to && to->is_object());
  if (objects && is_open(from, to) && is_open(to, from)) {
    const std::string path = key.empty() ? "" : key + ".";
    if (from) {
      for (const auto& [name, value] : from->members())
        find_differences(&value, to ? to->find(name) : nullptr, path + name, out);
    }
    if (to) {
      for (const auto& [name, value] : to->members()) {
        if (!from || !from->find(name)) find_differences(nullptr, &value, path + name, out);
      }
    }
    return;
  }
  const auto text = [](const json* value) { return value ? to_text(*value) : std::string("absent"); };
  out.push_back({key, text(from), text(to)});
}

}  // namespace detail

// The keys whose values differ, in the order of `from`, then those only `to` has.
inline std::vector<config_difference> config_differences(const json& from, const json& to) {
  std::vector<config_difference> differences;
  detail::find_differences(&from, &to, "", differences);
  return differences;
}

// Throws ul::error "config differs: train.rate: 0.001 -> 0.002; ..." unless they differ in nothing but the keys that
// may.
inline void require_same_config(const json& from, const json& to,
                                std::initializer_list<std::string_view> may_differ = {}) {
  std::string text;
  for (const config_difference& d : config_differences(from, to)) {
    if (std::find(may_differ.begin(), may_differ.end(), d.key) != may_differ.end()) continue;
    text += (text.empty() ? "" : "; ") + printable(d.key) + ": " + printable(d.from) + " -> " + printable(d.to);
  }
  if (!text.empty()) fail("config differs: ", text);
}

}  // namespace ul
