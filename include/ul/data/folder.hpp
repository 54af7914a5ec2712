#pragma once
// Pictures in a directory: files lie in it directly, without labels, or in one directory per class. Classes and files
// are taken in the order of their names, so the set is the same on every machine.

#include <string>
#include <vector>

#include <ul/data/directory.hpp>
#include <ul/data/picture_stack.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

struct folder_options {
  picture_decoder decode = nullptr;  // needed: ul::decode_image, or one's own
  extent channels = 3;
};

// The set in a directory. Throws ul::error naming the file on anything damaged and on pictures of different sizes, and
// naming the directory when it cannot be read, holds no pictures, or holds both pictures and classes.
inline byte_set read_folder(const std::string& directory, const folder_options& options) {
  if (!options.decode) fail("read_folder: decode is missing, such as ul::decode_image");
  picture_stack stack(options.channels);
  const auto add_all = [&](const std::vector<std::string>& files, extent label) {
    for (const std::string& file : files) stack.add(options.decode(read_file(file), file, {}), label, file);
  };
  const auto pictures_in = [](const std::string& place) { return files_in(place, {".png", ".jpg", ".jpeg"}); };
  const std::vector<std::string> files = pictures_in(directory), classes = directories_in(directory);
  if (!files.empty() && !classes.empty())
    fail(printable(directory), ": holds both pictures and directories of classes");
  add_all(files, -1);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    add_all(pictures_in(classes[c]), static_cast<extent>(c));
  }
  return std::move(stack).finish(directory, static_cast<extent>(classes.size()));
}

}  // namespace ul
