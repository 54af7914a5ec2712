#pragma once
// Pictures and labels of the MNIST family, from IDX files, plain or compressed.

#include <filesystem>
#include <string>

#include <ul/data/memory_set.hpp>
#include <ul/io/idx.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

// Unpacks a compressed file: ul::gunzip of the component `image`, or a function of one's own.
using unpacker = byte_vector (*)(byte_view bytes, std::string_view name, extent limit);

// Reads a file; one that starts like gzip goes through `unpack`, if there is one. Throws ul::error naming the file.
inline byte_vector read_unpacked(const std::string& path, unpacker unpack) {
  byte_vector bytes = read_file(path);
  if (unpack && starts_with(bytes, "\x1f\x8b")) return unpack(bytes, path, default_file_limit);
  return bytes;
}

// Pictures (N, H, W) or (N, H, W, C), and labels (N) or none. The names stand in the errors. Throws ul::error on other
// ranks, numbers that differ, or a label that is not below `classes`.
inline byte_set make_idx_set(idx_array images, idx_array labels = {}, extent classes = 10,
                             const std::string& images_name = "images", const std::string& labels_name = "labels") {
  const extents& axes = images.axes;
  if (axes.rank() != 3 && axes.rank() != 4) {
    fail(printable(images_name), ": rank is ", axes.rank(), ", expected rank 3 for images",
         axes.rank() == 1 ? "; this may be a file of labels" : "");
  }
  if (!labels.values.empty()) {
    const std::string name = printable(labels_name);
    if (labels.axes.rank() != 1) fail(name, ": rank is ", labels.axes.rank(), ", expected rank 1 for labels");
    if (labels.axes[0] != axes[0]) {
      fail(name, ": ", labels.axes[0], " labels do not match the ", axes[0], " images of ", printable(images_name));
    }
  }
  const extents item{axes[1], axes[2], axes.rank() == 4 ? axes[3] : 1};
  return {
      item, std::move(images.values), {labels.values.begin(), labels.values.end()}, classes, printable(labels_name)};
}

// The set in a directory as the MNIST family is distributed: `stem`-images-idx3-ubyte and `stem`-labels-idx1-ubyte,
// each plain or with .gz; stem is "train" or "t10k". Throws ul::error naming the file that is missing or wrong.
inline byte_set read_idx_set(const std::string& directory, const std::string& stem = "train",
                             unpacker unpack = nullptr) {
  const auto locate = [&](const char* kind) {
    const std::string plain = (std::filesystem::path(directory) / (stem + kind)).string(), packed = plain + ".gz";
    std::error_code ignored;
    return !std::filesystem::exists(plain, ignored) && std::filesystem::exists(packed, ignored) ? packed : plain;
  };
  const std::string images_path = locate("-images-idx3-ubyte"), labels_path = locate("-labels-idx1-ubyte");
  idx_array images = parse_idx(read_unpacked(images_path, unpack), images_path);
  idx_array labels = parse_idx(read_unpacked(labels_path, unpack), labels_path);
  return make_idx_set(std::move(images), std::move(labels), 10, images_path, labels_path);
}

}  // namespace ul
