#pragma once
// Pictures in a directory: files lie in it directly, without labels, or in one directory per class. Classes and files
// are taken in the order of their names, so the set is the same on every machine; a set held out is numbered by the
// names of the set to train on.

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <ul/data/directory.hpp>
#include <ul/data/picture_stack.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

struct folder_options {
  picture_decoder decode = nullptr;  // needed: ul::decode_image, or one's own
  extent channels = 3;
  std::vector<std::string> classes = {};  // names of the classes in their order; none: those that are there
};

// The set in a directory. Throws ul::error naming the file on anything damaged and on pictures of different sizes, and
// naming the directory when it cannot be read, holds no pictures, both pictures and classes, or an unknown class.
inline byte_set read_folder(const std::string& directory, const folder_options& options) {
  if (!options.decode) fail("read_folder: decode is missing, such as ul::decode_image");
  picture_stack stack(options.channels);
  const auto add_all = [&](const std::vector<std::string>& files, extent label) {
    for (const std::string& file : files) stack.add(options.decode(read_file(file), file, {}), label, file);
  };
  const auto pictures_in = [](const std::string& place) { return files_in(place, {".png", ".jpg", ".jpeg"}); };
  const auto name_of = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  const std::vector<std::string> files = pictures_in(directory), places = directories_in(directory);
  if (!files.empty() && !places.empty()) fail(printable(directory), ": holds both pictures and directories of classes");
  add_all(files, -1);
  std::vector<std::string> classes = options.classes;
  if (classes.empty()) std::transform(places.begin(), places.end(), std::back_inserter(classes), name_of);
  for (const std::string& place : places) {
    const auto found = std::find(classes.begin(), classes.end(), name_of(place));
    if (found == classes.end()) fail(printable(place), ": there is no such class among the pictures to train on");
    add_all(pictures_in(place), found - classes.begin());
  }
  return std::move(stack).finish(directory, static_cast<extent>(places.empty() ? 0 : classes.size()));
}

}  // namespace ul
