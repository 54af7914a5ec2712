#pragma once
// Pictures gathered one by one into a set in memory: what the readers of folders and shards share.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <ul/data/memory_set.hpp>
#include <ul/io/bytes.hpp>
#include <ul/io/channels.hpp>

namespace ul {

// Decodes the bytes of a picture file: ul::decode_image of the component `image`, or a function of one's own.
using picture_decoder = image (*)(byte_view bytes, std::string_view name, const image_limits& limits);

class picture_stack {
 public:
  // Pictures become grey (1) or RGB (3); what is transparent becomes white.
  explicit picture_stack(extent channels = 3) : channels_(channels) {}

  // Adds a picture and its label, -1 for none; all or none must have one. Throws ul::error naming `name` and the
  // picture's number when its size or its having a label differs from the others.
  void add(const image& picture, extent label, const std::string& name) {
    const std::string at = printable(name) + ": image " + std::to_string(count_);
    if (count_ == 0) {
      item_ = {picture.height, picture.width, channels_};
      labelled_ = label >= 0;
    }
    if (picture.height != item_[0] || picture.width != item_[1]) {
      fail(at, " is ", picture.height, "x", picture.width, ", expected ", item_[0], "x", item_[1]);
    }
    if (labelled_ != (label >= 0)) fail(at, labelled_ ? " has no label" : " has a label", ", unlike the others");
    if (label >= most_classes) fail(at, ": label is ", label, ", expected below ", most_classes);
    const image converted = with_channels(picture, channels_);
    append_bytes(values_, converted.pixels);
    if (labelled_) labels_.push_back(static_cast<std::int32_t>(label));
    classes_ = (std::max)(classes_, label + 1);
    ++count_;
  }

  // The set, with at least `classes` classes. Throws ul::error naming `name` when there is no picture.
  byte_set finish(const std::string& name, extent classes = 0) && {
    if (count_ == 0) fail(printable(name), ": there are no pictures");
    return {item_, std::move(values_), std::move(labels_), (std::max)(classes, classes_), printable(name)};
  }

 private:
  extent channels_, count_ = 0, classes_ = 0;
  extents item_;
  bool labelled_ = false;
  byte_vector values_;
  std::vector<std::int32_t> labels_;
};

}  // namespace ul
