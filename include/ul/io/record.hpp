#pragma once
// Structs as JSON objects, both ways, from one list of their members: a function found by argument-dependent lookup,
//
//   template <ul::fields_of<prior_config> C, class Visit>
//   void for_each_field(C& c, Visit&& visit) { visit("channels", c.channels); visit("blocks", c.blocks); }
//
// A member may be whatever `fields` reads, extents, or again a record.

#include <type_traits>

#include <ul/core/extents.hpp>
#include <ul/io/fields.hpp>

namespace ul {

namespace detail {

struct field_probe {
  template <class T>
  void operator()(std::string_view, T&) const {}
};

}  // namespace detail

// S is T or const T.
template <class S, class T>
concept fields_of = std::same_as<std::remove_const_t<S>, T>;

template <class R>
concept record = std::is_class_v<R> && requires(R& r) {
  for_each_field(r, detail::field_probe{});
};

// Every member under its name, in the order of the list.
template <record R>
json to_json(const R& r);

// Members that are there into `r`, the others as they were. Throws ul::error for unknown keys and wrong types.
template <record R>
void read_record(fields& f, R& r);

namespace detail {

template <class T>
json field_value(const T& value) {
  if constexpr (record<T>) {
    return to_json(value);
  } else if constexpr (std::same_as<T, extents>) {
    return json::array(value.begin(), value.end());
  } else if constexpr (requires { typename T::value_type; } && !std::same_as<T, std::string>) {
    return json::array(value.begin(), value.end());
  } else {
    return json(value);
  }
}

template <class T>
void read_field(fields& f, std::string_view key, T& value) {
  if constexpr (record<T>) {
    f.nested(key, [&](fields& inner) { read_record(inner, value); });
  } else if constexpr (std::same_as<T, extents>) {
    std::vector<extent> axes;
    if (!f.read(key, axes)) return;
    if (static_cast<extent>(axes.size()) > extents::max_rank)
      f.refuse(key, " has ", axes.size(), " axes, expected at most ", extent{extents::max_rank});
    for (const extent axis : axes)
      if (axis < 0) f.refuse(key, " has an axis of ", axis, ", expected at least 0");
    value = extents(axes.data(), static_cast<extent>(axes.size()));
  } else {
    f.read(key, value);
  }
}

}  // namespace detail

template <record R>
json to_json(const R& r) {
  json object = json::object{};
  for_each_field(r, [&](std::string_view key, const auto& value) { object.set(key, detail::field_value(value)); });
  return object;
}

template <record R>
void read_record(fields& f, R& r) {
  for_each_field(r, [&](std::string_view key, auto& value) { detail::read_field(f, key, value); });
}

// A whole object -> R, starting from `r`. `name` (a file) stands in front of every error. Throws ul::error as above.
template <record R>
R record_from(const json& object, std::string_view name = "config", R r = {}) {
  fields f(object, name);
  read_record(f, r);
  f.finish();
  return r;
}

}  // namespace ul
