#pragma once
// The manifest of a checkpoint: what it consists of, and the settings and counters that go with it. It is written last
// and binds everything by checksums: a line of JSON, and a line with the checksum of the first.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <ul/io/checksum.hpp>
#include <ul/io/fields.hpp>
#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/version.hpp>

namespace ul {

struct checkpoint_file {
  std::string name;
  extent size = 0;  // bytes
  std::uint32_t checksum = 0;
};

struct checkpoint_manifest {
  static constexpr int version = 1;
  static constexpr const char* name = "manifest.jsonl";

  extent step = 0;
  json config, state;
  std::vector<checkpoint_file> files;
};

namespace detail {

inline std::string checksum_text(std::uint32_t checksum) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[checksum >> shift & 15];
  return text;
}

// Letters, digits, '.', '_' and '-', not starting with a point: no path, and the same on every file system.
inline bool is_plain_name(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 100 && name[0] != '.' && name.find_first_not_of(allowed) == name.npos;
}

// Throws unless all names are plain and differ in more than upper and lower case. `where` starts the message.
inline void check_file_names(std::string_view where, const std::vector<std::string>& names) {
  std::vector<std::string> lower{checkpoint_manifest::name};
  for (const std::string& name : names) {
    if (!is_plain_name(name)) fail(printable(where), ": illegal name \"", printable(name), '"');
    std::string& folded = lower.emplace_back(name);
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::sort(lower.begin(), lower.end());
  const auto twice = std::adjacent_find(lower.begin(), lower.end());
  if (twice != lower.end()) fail(printable(where), ": the name ", printable(*twice), " stands there twice");
}

}  // namespace detail

inline std::string to_text(const checkpoint_manifest& m) {
  json::array files;
  for (const checkpoint_file& f : m.files) {
    files.push_back(json::object{{"name", f.name}, {"size", f.size}, {"crc32", detail::checksum_text(f.checksum)}});
  }
  const json all = json::object{{"version", m.version}, {"library", UL_VERSION}, {"step", m.step},
                                {"files", files},       {"config", m.config},    {"state", m.state}};
  const std::string line = to_text(all) + '\n';
  return line + to_text(json::object{{"crc32", detail::checksum_text(crc32(as_bytes(line)))}}) + '\n';
}

// `name` (a path) stands in the errors. Throws ul::error on anything but a whole manifest of a known version.
inline checkpoint_manifest parse_manifest(std::string_view text, std::string_view name) {
  const std::size_t end = text.find('\n') + 1;
  if (end == 0) fail(printable(name), ": incomplete: the line with the checksum is missing");
  const std::string_view line = text.substr(0, end);
  const std::string sum = detail::checksum_text(crc32(as_bytes(line)));
  if (text.substr(end) != to_text(json::object{{"crc32", sum}}) + '\n') {
    fail(printable(name), ": the checksum is wrong or incomplete, expected ", sum);
  }
  const json all = parse_json(line, name);
  int version = 0;
  std::string library;
  checkpoint_manifest m;
  json files = json::array{};
  fields f(all, name);
  f.require("version", version);
  if (version != m.version) {
    fail(printable(name), ": written by version ", version, ", this reads version ", m.version);
  }
  f.read("library", library);
  f.require("step", m.step);
  f.require("files", files);
  f.require("config", m.config);
  f.require("state", m.state);
  f.finish();
  if (m.step < 0) fail(printable(name), ": step is ", m.step, ", expected at least 0");
  std::vector<std::string> names;
  for (const json& each : files.elements("files")) {
    checkpoint_file file;
    std::string checksum;
    fields g(each, name, "files");
    g.require("name", file.name);
    g.require("size", file.size);
    g.require("crc32", checksum);
    g.finish();
    if (checksum.size() != 8 ||
        std::from_chars(checksum.data(), checksum.data() + 8, file.checksum, 16).ptr != checksum.data() + 8) {
      fail(printable(name), ": crc32 of ", printable(file.name), " needs 8 hexadecimal digits");
    }
    names.push_back(file.name);
    m.files.push_back(std::move(file));
  }
  detail::check_file_names(name, names);
  return m;
}

}  // namespace ul
