#pragma once
// Which checkpoints a run directory holds. Their names tell the step; clocks play no part.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/io/descriptor.hpp>

namespace ul {

// "checkpoint-000000500", or "checkpoint-000000500-1" for another one of the same step, which counts as newer: a
// directory once visible is never written again.
struct checkpoint_place {
  extent step = 0, copy = 0;
  std::string name;
};

inline std::string checkpoint_name(extent step, extent copy = 0) {
  const std::string digits = std::to_string(step);
  std::string name = "checkpoint-" + std::string(digits.size() < 9 ? 9 - digits.size() : 0, '0') + digits;
  if (copy > 0) name += describe("-", copy).c_str();
  return name;
}

namespace detail {

// The place that a directory's name tells; false when it is not a checkpoint's.
inline bool parse_checkpoint_name(const std::string& name, checkpoint_place& place) {
  constexpr std::string_view prefix = "checkpoint-";
  if (!name.starts_with(prefix)) return false;
  place = {0, 0, name};
  const char *at = name.data() + prefix.size(), *end = name.data() + name.size();
  const auto step = std::from_chars(at, end, place.step);
  if (step.ptr != end && *step.ptr == '-') std::from_chars(step.ptr + 1, end, place.copy);
  return place.step >= 0 && place.copy >= 0 && checkpoint_name(place.step, place.copy) == name;
}

}  // namespace detail

// The checkpoints of a run directory, the newest first. Throws ul::error when it cannot be read.
inline std::vector<checkpoint_place> list_checkpoints(const std::string& run) {
  std::vector<checkpoint_place> places;
  std::error_code problem;
  std::filesystem::directory_iterator at(run, problem);
  for (; !problem && at != std::filesystem::directory_iterator(); at.increment(problem)) {
    std::error_code ignored;
    checkpoint_place place;
    const bool directory = std::filesystem::is_directory(at->symlink_status(ignored));
    if (directory && detail::parse_checkpoint_name(at->path().filename().string(), place)) places.push_back(place);
  }
  if (problem) fail(printable(run), ": cannot list: ", detail::reason(problem.value()));
  std::sort(places.begin(), places.end(), [](const checkpoint_place& a, const checkpoint_place& b) {
    return std::pair(a.step, a.copy) > std::pair(b.step, b.copy);
  });
  return places;
}

// Removes what a crash left of checkpoints that were being written or removed. Only the holder of the run's lock may.
inline void clean_checkpoints(const std::string& run) {
  std::error_code problem;
  std::vector<std::filesystem::path> stale;
  for (std::filesystem::directory_iterator at(run, problem); !problem && at != std::filesystem::directory_iterator();
       at.increment(problem)) {
    const std::string name = at->path().filename().string();
    const bool ours = name.starts_with(".saving-checkpoint-") || name.starts_with(".removed-checkpoint-");
    if (ours) stale.push_back(at->path());
  }
  for (const auto& path : stale) std::filesystem::remove_all(path, problem);
}

}  // namespace ul
