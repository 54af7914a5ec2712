#pragma once
// Pictures and labels of the MNIST family, from IDX files, plain or compressed.

#include <filesystem>
#include <string>

#include <ul/data/data_set.hpp>
#include <ul/io/idx.hpp>
#include <ul/io/image.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

// Unpacks a compressed file: ul::gunzip of the component `image`, or a function of one's own.
using unpacker = byte_vector (*)(byte_view bytes, std::string_view name, extent limit);

class idx_set {
 public:
  // Pictures (N, H, W) or (N, H, W, C) without labels. Throws ul::error on another rank; `name` stands in it.
  explicit idx_set(idx_array images, const std::string& name = "images") : images_(std::move(images)) {
    const ul::extents& axes = images_.axes;
    if (axes.rank() != 3 && axes.rank() != 4) {
      fail(printable(name), ": rank is ", axes.rank(), ", expected rank 3 for images",
           axes.rank() == 1 ? "; this may be a file of labels" : "");
    }
    item_ = {axes[1], axes[2], axes.rank() == 4 ? axes[3] : 1};
  }

  // Pictures with one label each. Throws ul::error when the numbers differ or a label is not below `classes`.
  idx_set(idx_array images, idx_array labels, extent classes = 10, const std::string& images_name = "images",
          const std::string& labels_name = "labels")
      : idx_set(std::move(images), images_name) {
    const std::string name = printable(labels_name);
    if (labels.axes.rank() != 1) fail(name, ": rank is ", labels.axes.rank(), ", expected rank 1 for labels");
    if (labels.axes[0] != size()) {
      fail(name, ": ", labels.axes[0], " labels do not match the ", size(), " images of ", printable(images_name));
    }
    for (extent i = 0; i < size(); ++i) {
      const int label = labels.values[static_cast<std::size_t>(i)];
      if (label >= classes) fail(name, ": label out of range: item ", i, " has ", label, ", expected below ", classes);
    }
    labels_ = std::move(labels.values);
    classes_ = classes;
  }

  extent size() const { return images_.axes[0]; }
  ul::extents extents() const { return item_; }
  extent classes() const { return classes_; }  // 0 without labels

  extent label(extent i) const {
    check(i);
    if (classes_ == 0) fail("idx_set: there are no labels");
    return labels_[static_cast<std::size_t>(i)];
  }

  void read(extent i, float* out) const {
    check(i);
    const extent count = item_.size();
    const unsigned char* pixels = images_.values.data() + i * count;
    for (extent k = 0; k < count; ++k) out[k] = value_of(pixels[k]);
  }

 private:
  void check(extent i) const { detail::check_item("idx_set", i, size()); }

  idx_array images_;
  byte_vector labels_;
  ul::extents item_;
  extent classes_ = 0;
};

// One IDX file; one that starts like gzip goes through `unpack` first. Throws ul::error naming the file.
inline idx_array read_idx(const std::string& path, unpacker unpack = nullptr) {
  byte_vector bytes = read_file(path);
  if (unpack && starts_with(bytes, "\x1f\x8b")) bytes = unpack(bytes, path, default_file_limit);
  return parse_idx(bytes, path);
}

// The set in a directory as the MNIST family is distributed: `stem`-images-idx3-ubyte and `stem`-labels-idx1-ubyte,
// each plain or with .gz; stem is "train" or "t10k". Throws ul::error naming the file that is missing or wrong.
inline idx_set read_idx_set(const std::string& directory, const std::string& stem = "train",
                            unpacker unpack = nullptr) {
  const auto locate = [&](const char* kind) {
    const std::string plain = (std::filesystem::path(directory) / (stem + kind)).string();
    std::error_code ignored;
    return std::filesystem::exists(plain + ".gz", ignored) && !std::filesystem::exists(plain, ignored) ? plain + ".gz"
                                                                                                       : plain;
  };
  const std::string images_path = locate("-images-idx3-ubyte"), labels_path = locate("-labels-idx1-ubyte");
  idx_array images = read_idx(images_path, unpack), labels = read_idx(labels_path, unpack);
  return idx_set(std::move(images), std::move(labels), 10, images_path, labels_path);
}

}  // namespace ul
