#pragma once
// Pictures in a directory: files lie in it directly, without labels, or in one directory per class. Classes and files
// are taken in the order of their names, so the set is the same on every machine.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <ul/data/picture_stack.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

struct folder_options {
  picture_decoder decode = nullptr;  // needed: ul::decode_image, or one's own
  extent channels = 3;
};

namespace detail {

// The paths in a directory, sorted: its directories, or its files that are named like pictures. Hidden ones are left.
inline std::vector<std::string> sorted_entries(const std::string& directory, bool directories) {
  std::error_code problem;
  std::filesystem::directory_iterator entry(directory, problem);
  if (problem) fail(printable(directory), ": cannot open: ", reason(problem.value()));
  std::vector<std::string> paths;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(problem)) {
    std::error_code ignored;
    const std::filesystem::path& path = entry->path();
    if (path.filename().string().starts_with('.') || entry->is_directory(ignored) != directories) continue;
    std::string extension = path.extension().string();
    for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (directories || extension == ".png" || extension == ".jpg" || extension == ".jpeg")
      paths.push_back(path.string());
  }
  if (problem) fail(printable(directory), ": cannot list: ", reason(problem.value()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace detail

// The set in a directory. Throws ul::error naming the file on anything damaged and on pictures of different sizes, and
// naming the directory when it cannot be read, holds no pictures, or holds both pictures and classes.
inline byte_set read_folder(const std::string& directory, const folder_options& options) {
  if (!options.decode) fail("read_folder: decode is missing, such as ul::decode_image");
  picture_stack stack(options.channels);
  const auto add_all = [&](const std::vector<std::string>& files, extent label) {
    for (const std::string& file : files) stack.add(options.decode(read_file(file), file, {}), label, file);
  };
  const std::vector<std::string> files = detail::sorted_entries(directory, false);
  const std::vector<std::string> classes = detail::sorted_entries(directory, true);
  if (!files.empty() && !classes.empty())
    fail(printable(directory), ": holds both pictures and directories of classes");
  add_all(files, -1);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    add_all(detail::sorted_entries(classes[c], false), static_cast<extent>(c));
  }
  return std::move(stack).finish(directory, static_cast<extent>(classes.size()));
}

}  // namespace ul
