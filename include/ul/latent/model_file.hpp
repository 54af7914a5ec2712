#pragma once
// Models as one safetensors file: the weights under their paths ("encoder/...", "prior/...", "decoder/...", and
// "base/..." after stage 2), the config as JSON and the scales of the latents in the metadata.
//
//   ul::cpu device;
//   auto model = ul::load(device, "fashion.safetensors");

#include <ul/io/as_input.hpp>
#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/io/parameters_file.hpp>
#include <ul/io/read_file.hpp>
#include <ul/io/write_file.hpp>
#include <ul/latent/config_json.hpp>
#include <ul/latent/model.hpp>

namespace ul {

namespace detail {

inline constexpr const char* base_prefix = "base/";

// What a model's metadata holds; the key under which it stands is its format's name.
struct model_header {
  static constexpr const char* key = "unified_latents";
  static constexpr extent version = 1;

  latent_config config;
  double scale = 1, base_scale = 0;  // rms of the latents; base_scale 0: there is no base model
};

inline std::string to_text(const model_header& h) {
  return to_text(json(json::object{
      {"version", h.version}, {"config", to_json(h.config)}, {"scale", h.scale}, {"base_scale", h.base_scale}}));
}

inline model_header model_header_of(const safetensors& file) {
  const std::string* text = file.find_metadata(model_header::key);
  if (text == nullptr)
    fail(printable(file.name), ": is no model of this library: there is no ", model_header::key, " in its metadata");
  const json all = parse_json(*text, file.name);
  model_header h;
  extent version = 0;
  json config;
  fields f(all, file.name);
  f.require("version", version);
  if (version != model_header::version)
    fail(printable(file.name), ": written by version ", version, ", this reads version ",
         extent{model_header::version});
  f.require("config", config);
  f.require("scale", h.scale);
  f.require("base_scale", h.base_scale);
  f.finish();
  h.config = latent_config_from(config, file.name);
  if (!(h.scale > 0)) f.refuse("scale", " is ", h.scale, ", expected above 0");
  if (!(h.base_scale >= 0)) f.refuse("base_scale", " is ", h.base_scale, ", expected at least 0");
  return h;
}

}  // namespace detail

namespace detail {

template <element T, backend B>
latent_model<B, T> read_model(B& device, byte_view bytes, std::string_view name) {
  const safetensors file = parse_safetensors(bytes, name);
  const model_header h = model_header_of(file);
  latent_model<B, T> m(device, h.config);
  extent count = m.stage1.weights.count();
  if (h.base_scale > 0) count = checked_add(count, m.add_base().weights.count(), "model");
  check_room(file.name, bytes, count);
  const auto fill = [](parameters<B, T>& p, const safetensors& from, const std::string& prefix) {
    p.allocate();
    load_parameters(p, from, {.prefix = prefix, .types = type_match::floating});
  };
  safetensors own = file;
  if (h.base_scale > 0) std::erase_if(own.tensors, [](const auto& t) { return t.name.starts_with(base_prefix); });
  fill(m.stage1.weights, own, "");
  m.stage1.scale = latent_scale(h.scale);
  if (h.base_scale > 0) {
    fill(m.stage2->weights, file, base_prefix);
    m.stage2->scale = latent_scale(h.base_scale);
  }
  return m;
}

}  // namespace detail

// The bytes of a model -> the model, on `device`, which must outlive it. `name` stands in the errors. Throws ul::error
// of the kind `input`, naming file and tensor, for a damaged file, one that holds no model, and weights that do not fit
// its config.
template <element T = float, backend B>
latent_model<B, T> load(B& device, byte_view bytes, std::string_view name = "model") {
  return as_input(name, [&] { return detail::read_model<T>(device, bytes, name); });
}

// A model's file -> the model. Throws ul::error as above, and when the file cannot be read.
template <element T = float, backend B>
latent_model<B, T> load(B& device, const std::string& path) {
  return load<T>(device, as_input(path, [&] { return read_file(path); }), path);
}
template <element T = float, backend B>
latent_model<B, T> load(B& device, const char* path) {
  return load<T>(device, std::string(path));
}

// Writes a model, its weights rounded to S, as a whole or not at all. Throws ul::error naming the path.
template <element S = float, backend B, element T>
void save(const std::string& path, const latent_model<B, T>& m) {
  detail::model_header h{.config = m.config(), .scale = m.stage1.scale.rms()};
  parameter_tensors<S> tensors;
  tensors.add(m.stage1.weights, m.stage1.weights.master());
  if (m.stage2) {
    h.base_scale = m.stage2->scale.rms();
    tensors.add(m.stage2->weights, m.stage2->weights.master(), detail::base_prefix);
  }
  write_safetensors(path, tensors.list(), {{detail::model_header::key, detail::to_text(h)}});
}

}  // namespace ul
