#pragma once
// What lies in a directory, in the order of the names, so that a set is the same on every machine. Hidden entries are
// left out.

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <ul/io/descriptor.hpp>

namespace ul {

namespace detail {

template <class Wanted>
std::vector<std::string> sorted_entries(const std::string& directory, Wanted wanted) {
  std::error_code problem;
  std::filesystem::directory_iterator entry(directory, problem);
  if (problem) fail_system(directory, "cannot open", problem.value());
  std::vector<std::string> paths;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && wanted(*entry, name)) paths.push_back(entry->path().string());
  }
  if (problem) fail_system(directory, "cannot list", problem.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace detail

// The paths of its directories. Throws ul::error naming the directory when it cannot be read.
inline std::vector<std::string> directories_in(const std::string& directory) {
  return detail::sorted_entries(directory, [](const std::filesystem::directory_entry& entry, const std::string&) {
    std::error_code ignored;
    return entry.is_directory(ignored);
  });
}

// The paths of its files whose names end with one of `endings`, given in lower case, in any case. Throws ul::error
// naming the directory when it cannot be read.
inline std::vector<std::string> files_in(const std::string& directory,
                                         std::initializer_list<std::string_view> endings) {
  return detail::sorted_entries(directory, [&](const std::filesystem::directory_entry& entry, std::string name) {
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    std::error_code ignored;
    return !entry.is_directory(ignored) &&
           std::any_of(endings.begin(), endings.end(), [&](std::string_view end) { return name.ends_with(end); });
  });
}

}  // namespace ul
