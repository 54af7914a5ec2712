#pragma once
// CIFAR-10 and CIFAR-100 in their binary form: records of one or two label bytes and 32 x 32 RGB, plane by plane.
// Source: www.cs.toronto.edu/~kriz/cifar.html.

#include <filesystem>
#include <string>
#include <vector>

#include <ul/data/idx_set.hpp>

namespace ul {

enum class cifar { ten, hundred };  // hundred: by the fine label

namespace detail {

// Appends the records of one file, pixels with their channels last.
inline void append_cifar(byte_view bytes, const std::string& path, cifar kind, byte_vector& values,
                         byte_vector& labels) {
  const std::string name = printable(path);
  const extent head = kind == cifar::ten ? 1 : 2, record = head + 3072, size = static_cast<extent>(bytes.size());
  if (starts_with(bytes, "\x80\x02") || starts_with(bytes, "\x80\x03") || starts_with(bytes, "\x80\x04")) {
    fail(name, ": this is the Python version, expected the binary version");
  }
  if (const char* format = known_format(bytes)) fail(name, ": this is ", format, ", expected CIFAR binary");
  if (size == 0 || size % record != 0) {
    const extent other = kind == cifar::ten ? 3074 : 3073;
    fail(name, ": size is not a multiple of ", record, ": ", size, " bytes",
         size % other != 0    ? ""
         : kind == cifar::ten ? "; this may be CIFAR-100"
                              : "; this may be CIFAR-10");
  }
  const extent classes = kind == cifar::ten ? 10 : 100;
  for (extent at = 0; at < size; at += record) {
    const unsigned char* item = bytes.data() + at;
    if (item[head - 1] >= classes) {
      fail(name, ": byte ", at + head - 1, ": label out of range: record ", at / record, " has ", int{item[head - 1]},
           ", expected below ", classes);
    }
    labels.push_back(item[head - 1]);
    for (extent pixel = 0; pixel < 1024; ++pixel) {
      for (extent plane = 0; plane < 3; ++plane) values.push_back(item[head + plane * 1024 + pixel]);
    }
  }
}

}  // namespace detail

// The set in one file, or in a directory by its usual names: data_batch_1.bin to data_batch_5.bin or test_batch.bin
// (ten), train.bin or test.bin (hundred), each plain or with .gz. stem is "train" or "test"; it matters for a directory
// only. Throws ul::error naming the file that is missing or wrong.
inline byte_set read_cifar(const std::string& path, cifar kind = cifar::ten, const std::string& stem = "train",
                           unpacker unpack = nullptr) {
  std::error_code ignored;
  std::vector<std::string> files{path};
  if (std::filesystem::is_directory(path, ignored)) {
    files = {stem};
    if (kind == cifar::ten) files = {"test_batch"};
    if (kind == cifar::ten && stem == "train") {
      files = {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"};
    }
    for (std::string& file : files) {
      file = (std::filesystem::path(path) / (file + ".bin")).string();
      if (!std::filesystem::exists(file, ignored) && std::filesystem::exists(file + ".gz", ignored)) file += ".gz";
    }
  }
  byte_vector values, labels;
  for (const std::string& file : files) detail::append_cifar(read_unpacked(file, unpack), file, kind, values, labels);
  return {
      {32, 32, 3}, std::move(values), {labels.begin(), labels.end()}, kind == cifar::ten ? 10 : 100, printable(path)};
}

}  // namespace ul
