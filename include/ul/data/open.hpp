#pragma once
// Data sets by name: "KIND:PATH" -> pictures to train on and pictures held out.
//
//   const ul::data_split data = ul::open_data("idx:fashion-mnist", {.unpack = ul::gunzip, .decode = ul::decode_image});
//
//   galaxies[:size=32,channels=3,count=10000]   the built-in ones, of no file
//   idx:DIRECTORY       train-... and t10k-... as the MNIST family is distributed, or t10k-... alone
//   cifar10:PATH        a directory of the binary batches, or one file of records
//   shards:PATH         a directory of tar archives, those with "test" or "val" in their names held out, or one archive
//   folder:DIRECTORY    pictures, or one directory for each class; or of both kinds: train/ beside test/ or val/
//   npy:PATH            one array of pictures, or a directory of images.npy and labels.npy
//
// Where nothing is kept apart, `hold_out` does it.

#include <charconv>
#include <string_view>

#include <ul/data/cifar.hpp>
#include <ul/data/directory.hpp>
#include <ul/data/folder.hpp>
#include <ul/data/galaxies.hpp>
#include <ul/data/npy_set.hpp>
#include <ul/data/shards.hpp>
#include <ul/data/subset.hpp>
#include <ul/io/nearest_name.hpp>

namespace ul {

// What some kinds need from libraries of the component `image`.
struct data_decoders {
  unpacker unpack = nullptr;         // ul::gunzip
  picture_decoder decode = nullptr;  // ul::decode_image
};

namespace detail {

inline galaxies_options parse_galaxies(std::string_view text) {
  galaxies_options o;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix((std::min)(item.size() + 1, text.size()));
    const std::string_view name = item.substr(0, item.find('='));
    extent* value = name == "size"       ? &o.resolution
                    : name == "channels" ? &o.channels
                    : name == "count"    ? &o.count
                                         : nullptr;
    if (!value) fail("galaxies: unknown option ", printable(name), ", expected size, channels or count");
    const std::string_view digits = item.substr((std::min)(name.size() + 1, item.size()));
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), *value);
    if (problem != std::errc{} || end != digits.data() + digits.size())
      fail("galaxies: ", name, " is \"", printable(digits), "\", expected a number");
  }
  return o;
}

inline data_split open_galaxies(std::string_view text) {
  galaxies_options o = parse_galaxies(text);
  const galaxies train(o);
  o.count = (std::min)(o.count, extent{1000});
  ++o.seed;
  return {train, galaxies(o)};
}

// A directory of test files alone has nothing to train on.
inline data_split open_idx(const std::string& path, const data_decoders& d) {
  const auto exists = [&](const char* name) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::path(path) / name, ignored) ||
           std::filesystem::exists(std::filesystem::path(path) / (std::string(name) + ".gz"), ignored);
  };
  any_set train;
  if (exists("train-images-idx3-ubyte") || exists("train-labels-idx1-ubyte"))
    train = read_idx_set(path, "train", d.unpack);
  return {train, read_idx_set(path, "t10k", d.unpack)};
}

inline data_split open_cifar(const std::string& path, const data_decoders& d) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return hold_out(read_cifar(path, cifar::ten, "train", d.unpack));
  return {read_cifar(path, cifar::ten, "train", d.unpack), read_cifar(path, cifar::ten, "test", d.unpack)};
}

inline data_split open_shards(const std::string& path, const data_decoders& d) {
  std::vector<std::string> train, held_out;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    for (const std::string& file : files_in(path, {".tar", ".tar.gz", ".tgz"})) {
      const std::string name = std::filesystem::path(file).filename().string();
      const bool apart = name.find("test") != name.npos || name.find("val") != name.npos;
      (apart ? held_out : train).push_back(file);
    }
    if (train.empty()) fail(printable(path), ": there are no shards to train on: *.tar, *.tar.gz or *.tgz");
  } else {
    train = {path};
  }
  const shard_options options{.decode = d.decode, .unpack = d.unpack};
  if (held_out.empty()) return hold_out(read_shards(train, options));
  return {read_shards(train, options), read_shards(held_out, options)};
}

inline data_split open_folder(const std::string& path, const data_decoders& d) {
  std::error_code ignored;
  const auto inner = [&](const char* name) { return (std::filesystem::path(path) / name).string(); };
  for (const char* apart : {"test", "val"}) {
    if (!std::filesystem::is_directory(inner("train"), ignored) ||
        !std::filesystem::is_directory(inner(apart), ignored))
      continue;
    folder_options held_out{.decode = d.decode};
    for (const std::string& each : directories_in(inner("train")))
      held_out.classes.push_back(std::filesystem::path(each).filename().string());
    return {read_folder(inner("train"), {.decode = d.decode}), read_folder(inner(apart), held_out)};
  }
  return hold_out(read_folder(path, {.decode = d.decode}));
}

}  // namespace detail

// Throws ul::error for an unknown kind, with the nearest one's name; and, of the kind `input` or `system`, for what
// cannot be read, is damaged, or differs in shape between the two sets. The set to train on may be none.
inline data_split open_data(std::string_view text, const data_decoders& d = {}) {
  const std::string_view kind = text.substr(0, text.find(':'));
  const std::string path(text.substr((std::min)(kind.size() + 1, text.size())));
  constexpr std::string_view kinds[] = {"galaxies", "idx", "cifar10", "shards", "folder", "npy"};
  if (std::find(std::begin(kinds), std::end(kinds), kind) == std::end(kinds)) {
    const std::string_view near = nearest_name(kind, kinds);
    fail("data: unknown kind \"", printable(kind), '"', near.empty() ? "" : ", did you mean ", near,
         near.empty() ? "" : "?", " (KIND:PATH with galaxies, idx, cifar10, shards, folder or npy)");
  }
  if (kind == "galaxies") return detail::open_galaxies(path);
  if (path.empty()) fail("data: ", kind, " needs a path: ", kind, ":PATH");
  try {
    data_split split;
    if (kind == "idx") split = detail::open_idx(path, d);
    if (kind == "cifar10") split = detail::open_cifar(path, d);
    if (kind == "shards") split = detail::open_shards(path, d);
    if (kind == "folder") split = detail::open_folder(path, d);
    if (kind == "npy") split = hold_out(read_npy_set(path));
    if (!split.train) return split;
    const extents a = split.train.extents(), b = split.held_out.extents();
    if (a != b) fail(printable(path), ": pictures to train on are ", a, ", those held out ", b);
    if (const extent known = split.train.classes(), met = split.held_out.classes(); known > 0 && met > known)
      fail(printable(path), ": pictures to train on have ", known, " classes, those held out ", met);
    return split;
  } catch (const error& e) {
    fail_as(e.kind() == error_kind::usage ? error_kind::input : e.kind(), e.what());
  }
}

}  // namespace ul
