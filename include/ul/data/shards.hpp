#pragma once
// WebDataset shards: tar archives, plain or compressed, of KEY.png or KEY.jpg beside an optional KEY.cls (the class as
// a decimal). The key is the name up to the first dot behind the last slash.

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include <ul/data/idx_set.hpp>
#include <ul/data/picture_stack.hpp>
#include <ul/io/tar.hpp>

namespace ul {

struct shard_options {
  picture_decoder decode = nullptr;  // needed: ul::decode_image, or one's own
  unpacker unpack = nullptr;         // for .tar.gz: ul::gunzip
  extent channels = 3;
};

namespace detail {

inline void append_shard(picture_stack& stack, const std::vector<tar_entry>& entries, const std::string& path,
                         picture_decoder decode) {
  const auto split = [](const std::string& name) {
    const std::size_t dot = name.find('.', name.rfind('/') + 1);  // npos + 1 is 0
    return std::pair{std::string_view(name).substr(0, dot),
                     dot == name.npos ? "" : std::string_view(name).substr(dot + 1)};
  };
  for (std::size_t first = 0, last = 0; first < entries.size();
       first = last) {  // the entries of one key are neighbours
    const std::string_view key = split(entries[first].name).first;
    const tar_entry* picture = nullptr;
    extent label = -1;
    for (; last < entries.size() && split(entries[last].name).first == key; ++last) {
      const tar_entry& entry = entries[last];
      const std::string_view field = split(entry.name).second;
      if (field == "png" || field == "jpg" || field == "jpeg") picture = &entry;
      if (field != "cls") continue;
      std::string_view digits = as_text(entry.content);
      while (!digits.empty() && (digits.back() == '\n' || digits.back() == ' ')) digits.remove_suffix(1);
      const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), label);
      if (problem != std::errc{} || end != digits.data() + digits.size() || label < 0) {
        fail(printable(path), ": ", printable(entry.name), ": \"", printable(digits, 20), "\" is no class");
      }
    }
    if (!picture) continue;
    const std::string name = path + ":" + picture->name;
    stack.add(decode(picture->content, name, {}), label, name);
  }
}

}  // namespace detail

// All pictures of the shards, in their order. Throws ul::error naming shard and entry on anything damaged, on pictures
// of different sizes, and on pictures with and without a class.
inline byte_set read_shards(const std::vector<std::string>& paths, const shard_options& options) {
  if (!options.decode) fail("read_shards: decode is missing, such as ul::decode_image");
  if (paths.empty()) fail("read_shards: there are no shards");
  picture_stack stack(options.channels);
  for (const std::string& path : paths) {
    const byte_vector bytes = read_unpacked(path, options.unpack);
    if (starts_with(bytes, "\x1f\x8b")) fail(printable(path), ": compressed: gunzip first");
    detail::append_shard(stack, parse_tar(bytes, path), path, options.decode);
  }
  return std::move(stack).finish(paths.front());
}

}  // namespace ul
