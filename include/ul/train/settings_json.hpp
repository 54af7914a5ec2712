#pragma once
// The one JSON form of a run's settings, and changes to it by name.
//
//   ul::json all = ul::to_json(ul::run_preset("fashion"));
//   all = ul::with_setting(all, "stage1.rate=5e-4");
//   const ul::run_settings settings = ul::run_settings_from(all);

#include <ul/io/json_reader.hpp>
#include <ul/latent/config_json.hpp>
#include <ul/train/settings.hpp>

namespace ul {

template <fields_of<stage_settings> S, class Visit>
void for_each_field(S& s, Visit&& visit) {
  visit("steps", s.steps);
  visit("batch", s.batch);
  visit("rate", s.rate);
  visit("warm_up", s.warm_up);
  visit("fall_from", s.fall_from);
  visit("beta1", s.beta1);
  visit("beta2", s.beta2);
  visit("decay", s.decay);
  visit("clip", s.clip);
  visit("ema", s.ema);
  visit("skips", s.skips);
}

template <fields_of<watch_settings> S, class Visit>
void for_each_field(S& s, Visit&& visit) {
  visit("checkpoint_every", s.checkpoint_every);
  visit("keep", s.keep);
  visit("held_out_every", s.held_out_every);
  visit("held_out", s.held_out);
  visit("preview_every", s.preview_every);
  visit("previews", s.previews);
  visit("preview_steps", s.preview_steps);
  visit("half_precision", s.half_precision);
}

template <fields_of<run_settings> S, class Visit>
void for_each_field(S& s, Visit&& visit) {
  visit("preset", s.preset);
  visit("data", s.data);
  visit("init_from", s.init_from);
  visit("seed", s.seed);
  visit("flip", s.flip);
  visit("cache_latents", s.cache_latents);
  visit("model", s.model);
  visit("stage1", s.stage1);
  visit("stage2", s.stage2);
  visit("watch", s.watch);
}

// Throws ul::error naming `name` (a file) and the key: unknown, of another type, or a value that cannot work.
inline run_settings run_settings_from(const json& object, std::string_view name = "settings") {
  run_settings s = record_from(object, name, run_settings());
  try {
    s.validate();
  } catch (const error& e) {
    fail(printable(name), ": ", e.what());
  }
  return s;
}

namespace detail {

// `path` is what is left of the key, `whole` all of it.
inline json replaced(json object, std::string_view path, std::string_view whole, json value) {
  const std::string_view name = path.substr(0, path.find('.'));
  const json* member = object.find(name);
  if (!member) {
    std::vector<std::string_view> known;
    if (object.is_object()) {
      for (const auto& each : object.members()) known.push_back(each.key);
    }
    const std::string_view near = nearest_name(name, known), before = whole.substr(0, whole.size() - path.size());
    fail("settings: unknown key ", printable(whole), near.empty() ? "" : ", did you mean ",
         near.empty() ? "" : printable(before), near, near.empty() ? "" : "?");
  }
  if (name.size() < path.size()) value = replaced(*member, path.substr(name.size() + 1), whole, std::move(value));
  object.set(name, std::move(value));
  return object;
}

}  // namespace detail

// One member replaced: "stage1.rate=5e-4". The value is JSON, or else a string as it stands. Throws ul::error for a key
// that is not there, with the nearest one's name.
inline json with_setting(const json& settings, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == 0 || equals == assignment.npos)
    fail("settings: \"", printable(assignment), "\" is no assignment, expected key=value");
  const std::string_view key = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  json value{text};
  try {
    value = parse_json(text, "value");
  } catch (const error&) {
  }
  return detail::replaced(settings, key, key, std::move(value));
}

}  // namespace ul
