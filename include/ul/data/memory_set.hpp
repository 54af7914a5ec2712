#pragma once
// Items held in memory, as bytes or as floats: what the readers of files give, and a cache for any other set.

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include <ul/data/data_set.hpp>
#include <ul/io/image.hpp>

namespace ul {

// A label beyond this is damage, not a class.
inline constexpr extent most_classes = 1'000'000;

// T is unsigned char, 0 ... 255 standing for [-1, 1], or float, the values themselves.
template <class T>
requires std::same_as<T, unsigned char> || std::same_as<T, float>
class memory_set {
 public:
  // Items of shape `item` (H, W, C), one after the other, without labels or with one label each, 0 to classes - 1.
  // `name` stands in the errors. Throws ul::error when the counts do not fit or a label is out of range.
  memory_set(const ul::extents& item, std::vector<T> values, std::vector<std::int32_t> labels = {}, extent classes = 0,
             const std::string& name = "memory_set")
      : item_(item), values_(std::move(values)), labels_(std::move(labels)), classes_(labels_.empty() ? 0 : classes) {
    const auto total = static_cast<extent>(values_.size());
    if (item.rank() != 3 || item.size() < 1) fail(name, ": items are ", item, ", expected (H, W, C)");
    if (total == 0 || total % item.size() != 0) {
      fail(name, ": ", total, " values do not make whole items of ", item, ", at least one");
    }
    size_ = total / item.size();
    if (labels_.empty()) return;
    if (static_cast<extent>(labels_.size()) != size_) {
      fail(name, ": ", labels_.size(), " labels do not match the ", size_, " images");
    }
    for (extent i = 0; i < size_; ++i) {
      const extent label = labels_[static_cast<std::size_t>(i)];
      if (label < 0 || label >= classes)
        fail(name, ": label out of range: item ", i, " has ", label, ", expected 0 to ", classes - 1);
    }
  }

  extent size() const { return size_; }
  ul::extents extents() const { return item_; }
  extent classes() const { return classes_; }  // 0 without labels

  // Throws ul::error when there is no such item, or there are no labels.
  extent label(extent i) const {
    detail::check_item("memory_set", i, size_);
    if (classes_ == 0) fail("memory_set: there are no labels");
    return labels_[static_cast<std::size_t>(i)];
  }

  // Throws ul::error when there is no such item.
  void read(extent i, float* out) const {
    detail::check_item("memory_set", i, size_);
    const extent count = item_.size();
    const T* from = values_.data() + i * count;
    for (extent k = 0; k < count; ++k) {
      if constexpr (std::same_as<T, float>) {
        out[k] = from[k];
      } else {
        out[k] = value_of(from[k]);
      }
    }
  }

 private:
  ul::extents item_;
  extent size_ = 0;
  std::vector<T> values_;
  std::vector<std::int32_t> labels_;
  extent classes_;
};

using byte_set = memory_set<unsigned char>;

// Items first ... first + count - 1 of another set (to its end by default), each read once and kept as bytes: exact for
// sets of bytes, such as galaxies. Throws ul::error when they do not exist.
template <data_set S>
byte_set in_memory(const S& set, extent first = 0, extent count = -1) {
  const extent available = set.size();
  if (count < 0) count = available - first;
  if (first < 0 || count < 1 || count > available - first) {
    fail("in_memory: items ", first, " to ", first + count - 1, " do not exist, there are ", available);
  }
  const extents item = set.extents();
  std::vector<float> values(static_cast<std::size_t>(item.size()));
  std::vector<unsigned char> bytes;
  std::vector<std::int32_t> labels;
  bytes.reserve(static_cast<std::size_t>(checked_mul(count, item.size(), "in_memory")));
  extent classes = 0;
  if constexpr (labelled_data_set<S>) classes = set.classes();
  for (extent i = first; i < first + count; ++i) {
    set.read(i, values.data());
    for (const float value : values) bytes.push_back(byte_of(value));
    if (classes > 0) labels.push_back(static_cast<std::int32_t>(label_of(set, i)));
  }
  return {item, std::move(bytes), std::move(labels), classes, "in_memory"};
}

}  // namespace ul
