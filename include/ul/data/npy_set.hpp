#pragma once
// Data sets from NumPy's array files.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <ul/data/any_set.hpp>
#include <ul/data/memory_set.hpp>
#include <ul/io/npy.hpp>

namespace ul {

namespace detail {

// Labels (N) of bytes or integers.
inline std::vector<std::int32_t> npy_labels(const npy_array& array, const std::string& name) {
  if (array.axes.rank() != 1) fail(name, ": rank is ", array.axes.rank(), ", expected rank 1 for labels");
  std::vector<std::int32_t> labels;
  const auto take = [&](auto all) {
    for (const auto label : all) {
      if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, most_classes))
        fail(name, ": label out of range: item ", labels.size(), " has ", label, ", expected 0 to ", most_classes - 1);
      labels.push_back(static_cast<std::int32_t>(label));
    }
  };
  if (array.type == npy_type::uint8) return {array.bytes.begin(), array.bytes.end()};
  if (array.type == npy_type::int32) {
    take(array.values<std::int32_t>());
  } else if (array.type == npy_type::int64) {
    take(array.values<std::int64_t>());
  } else {
    fail(name, ": elements are ", npy_descr(array.type), ", expected |u1, <i4 or <i8 for labels");
  }
  return labels;
}

template <class T>
std::vector<float> npy_pictures(const npy_array& array, const std::string& name) {
  const auto all = array.values<T>();
  std::vector<float> values;
  values.reserve(all.size());
  for (const T x : all) {
    if (!(x >= -1 && x <= 1)) fail(name, ": element ", values.size(), " is ", x, ", expected in [-1, 1]");
    values.push_back(static_cast<float>(x));
  }
  return values;
}

}  // namespace detail

// Pictures (N, H, W) or (N, H, W, C), bytes or reals in [-1, 1], and labels (N) or none. The names stand in the errors.
// There are as many classes as the largest label says. Throws ul::error on other ranks, types and values, and on
// numbers that differ.
inline any_set make_npy_set(const npy_array& images, const npy_array* labels = nullptr,
                            const std::string& images_path = "images", const std::string& labels_path = "labels") {
  const std::string name = printable(images_path);
  const extents& axes = images.axes;
  if (axes.rank() != 3 && axes.rank() != 4) fail(name, ": rank is ", axes.rank(), ", expected rank 3 or 4 for images");
  const extents item{axes[1], axes[2], axes.rank() == 4 ? axes[3] : 1};
  std::vector<std::int32_t> classes_of;
  extent classes = 0;
  if (labels) {
    classes_of = detail::npy_labels(*labels, printable(labels_path));
    for (const std::int32_t label : classes_of) classes = (std::max)(classes, extent{label} + 1);
    if (std::cmp_not_equal(classes_of.size(), axes[0])) {
      fail(printable(labels_path), ": ", classes_of.size(), " labels do not match the ", axes[0], " images of ", name);
    }
  }
  const auto set_of = [&]<class T>(std::vector<T> values) {
    return memory_set<T>(item, std::move(values), std::move(classes_of), classes, name);
  };
  if (images.type == npy_type::uint8) return set_of(images.bytes);
  if (images.type == npy_type::float32) return set_of(detail::npy_pictures<float>(images, name));
  if (images.type == npy_type::float64) return set_of(detail::npy_pictures<double>(images, name));
  fail(name, ": elements are ", npy_descr(images.type), ", expected |u1, <f4 or <f8 for images");
}

// The set in one file, without labels, or in a directory: images.npy and, if it is there, labels.npy. Throws ul::error
// naming the file.
inline any_set read_npy_set(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return make_npy_set(read_npy(path), nullptr, path);
  const std::string images = (std::filesystem::path(path) / "images.npy").string(),
                    labels = (std::filesystem::path(path) / "labels.npy").string();
  if (!std::filesystem::exists(labels, ignored)) return make_npy_set(read_npy(images), nullptr, images);
  const npy_array classes = read_npy(labels);
  return make_npy_set(read_npy(images), &classes, images, labels);
}

}  // namespace ul
