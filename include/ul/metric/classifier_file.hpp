#pragma once
// Classifiers as safetensors files: the parameters under their paths, the config beside them.

#include <ul/io/as_input.hpp>
#include <ul/io/fields.hpp>
#include <ul/io/json_reader.hpp>
#include <ul/io/parameters_file.hpp>
#include <ul/metric/classifier.hpp>

namespace ul {

inline json to_json(const classifier_config& c) {
  return json::object{{"image", json::array(c.image.begin(), c.image.end())},
                      {"classes", c.classes},
                      {"patch", c.patch},
                      {"channels", json::array(c.channels.begin(), c.channels.end())},
                      {"blocks", c.blocks},
                      {"groups", c.groups},
                      {"features", c.features}};
}

// What is absent keeps its default. Throws ul::error naming `name` (a file) and the key: unknown, of another type, or
// sizes that cannot work.
inline classifier_config classifier_config_from(const json& object, std::string_view name = "config") {
  classifier_config c;
  fields f(object, name);
  std::vector<extent> image;
  if (f.read("image", image)) {
    if (image.size() != 3) fail(printable(name), ": image has ", image.size(), " extents, expected (H, W, C)");
    try {
      c.image = {image[0], image[1], image[2]};
    } catch (const error& e) {
      fail(printable(name), ": image: ", e.what());
    }
  }
  f.read("classes", c.classes);
  f.read("patch", c.patch);
  f.read("channels", c.channels);
  f.read("blocks", c.blocks);
  f.read("groups", c.groups);
  f.read("features", c.features);
  f.finish();
  try {
    c.validate();
  } catch (const error& e) {
    fail(printable(name), ": ", e.what());
  }
  return c;
}

// Writes a classifier, atomically, with its values from a flat buffer of its store: p.master() or an average of it.
// Throws ul::error when the sizes differ, or as write_safetensors does.
template <backend B, element T>
void save_classifier(const std::string& path, const classifier_config& c, const parameters<B, T>& p,
                     const tensor<B, master_t<T>>& flat) {
  parameter_tensors<master_t<T>> tensors;
  tensors.add(p, flat);
  write_safetensors(path, tensors.list(), {{"format", "ul.classifier"}, {"config", to_text(to_json(c))}});
}

namespace detail {

template <element T, backend B>
classifier<B, T> read_classifier(B& device, byte_view bytes, std::string_view name) {
  const safetensors file = parse_safetensors(bytes, name);
  const std::string *format = file.find_metadata("format"), *config = file.find_metadata("config");
  if (format == nullptr || *format != "ul.classifier" || config == nullptr)
    fail(printable(name), ": no file of a classifier: its metadata have no config in the format ul.classifier");
  const std::string config_name = std::string(name) + ": config";
  const classifier_config c = classifier_config_from(parse_json(*config, config_name), config_name);
  parameters<B, T> p(device);
  classifier<B, T> net(p.root(), c);
  check_room(name, bytes, p.count());
  p.allocate(key(0));
  load_parameters(p, file, {.types = type_match::floating});
  return net;
}

}  // namespace detail

// The classifier in the bytes of a file; `name` stands in the errors. Values of another floating type are converted.
// Throws ul::error of the kind `input` when this is no file of a classifier, or its parameters are not those of its
// config.
template <element T, backend B>
classifier<B, T> load_classifier(B& device, byte_view bytes, std::string_view name) {
  return as_input(name, [&] { return detail::read_classifier<T>(device, bytes, name); });
}

// The same from a path. Throws ul::error as read_file does, too.
template <element T, backend B>
classifier<B, T> load_classifier(B& device, const std::string& path) {
  const byte_vector bytes = as_input(path, [&] { return read_file(path); });
  return load_classifier<T>(device, bytes, path);
}

}  // namespace ul
