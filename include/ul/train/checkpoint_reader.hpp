#pragma once
// Reading checkpoints back: the newest one that is whole.
//
//   if (auto saved = ul::read_latest_checkpoint(run)) {
//     for (const std::string& reason : saved->passed_over) ...                // tell why a newer one was not taken
//     restore((*saved)["model"], saved->state);
//   }

#include <optional>

#include <ul/io/safetensors_reader.hpp>
#include <ul/train/checkpoint_list.hpp>
#include <ul/train/checkpoint_manifest.hpp>

namespace ul {

class checkpoint {
 public:
  std::string path;
  extent step = 0;
  json config, state;
  std::vector<std::string> passed_over;  // why newer checkpoints were not taken

  // The tensors of a part. Throws ul::error when there is none of that name.
  const safetensors& operator[](std::string_view part) const {
    for (const part_file& each : parts_) {
      if (each.name == part) return each.tensors;
    }
    fail(printable(path), ": there is no part ", printable(part));
  }

 private:
  // Moving it moves no byte, so that the views of `tensors` hold; copying would not.
  struct part_file {
    std::string name;
    byte_vector bytes;
    safetensors tensors;

    part_file(std::string n, byte_vector b, const std::string& from)
        : name(std::move(n)), bytes(std::move(b)), tensors(parse_safetensors(byte_view(bytes), from)) {}
    part_file(part_file&&) = default;
    part_file& operator=(part_file&&) = default;
  };
  std::vector<part_file> parts_;

  friend checkpoint read_checkpoint(const std::string& path);
};

// A checkpoint's directory -> its contents, every byte of it verified. Throws ul::error naming the file that is
// missing, of another size, damaged or from another checkpoint.
inline checkpoint read_checkpoint(const std::string& path) {
  const auto regular = [](const std::string& file) {
    std::error_code problem;
    const auto status = std::filesystem::symlink_status(file, problem);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      fail(printable(file), ": not a regular file");
    }
    return read_file(file);
  };
  const std::string manifest_path = path + "/" + checkpoint_manifest::name;
  checkpoint_manifest manifest = parse_manifest(as_text(regular(manifest_path)), manifest_path);
  checkpoint_place place;
  const std::string name = std::filesystem::path(path).filename().string();
  if (detail::parse_checkpoint_name(name, place) && place.step != manifest.step) {
    fail(printable(manifest_path), ": step is ", manifest.step, ", the directory's name says ", place.step);
  }
  checkpoint found;
  found.path = path;
  found.step = manifest.step;
  found.config = std::move(manifest.config);
  found.state = std::move(manifest.state);
  for (const checkpoint_file& file : manifest.files) {
    const std::string file_path = path + "/" + file.name;
    byte_vector bytes = regular(file_path);
    if (std::cmp_not_equal(bytes.size(), file.size)) {
      fail(printable(file_path), ": expected ", file.size, " bytes, got ", bytes.size());
    }
    if (const std::uint32_t sum = crc32(bytes); sum != file.checksum) {
      fail(printable(file_path), ": damaged: expected the checksum ", detail::checksum_text(file.checksum), ", got ",
           detail::checksum_text(sum));
    }
    constexpr std::string_view suffix = ".safetensors";
    if (!file.name.ends_with(suffix)) fail(printable(file_path), ": expected a name that ends with ", suffix);
    found.parts_.emplace_back(file.name.substr(0, file.name.size() - suffix.size()), std::move(bytes), file_path);
  }
  return found;
}

// The newest checkpoint of a run directory that is whole; none when there is no checkpoint at all. Throws ul::error
// with the reasons when there are some and none is whole.
inline std::optional<checkpoint> read_latest_checkpoint(const std::string& run) {
  std::vector<std::string> reasons;
  for (const checkpoint_place& place : list_checkpoints(run)) {
    try {
      checkpoint found = read_checkpoint(run + "/" + place.name);
      found.passed_over = std::move(reasons);
      return found;
    } catch (const error& e) {
      reasons.push_back(e.what());
    }
  }
  if (reasons.empty()) return std::nullopt;
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  fail_as(error_kind::input, printable(run), ": no checkpoint can be read: ", all);
}

}  // namespace ul
