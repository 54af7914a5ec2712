#pragma once
// Named tensors as safetensors files hold them. Reading: safetensors_reader.hpp; writing: safetensors_writer.hpp.
// Source: huggingface/safetensors, README, "Format".

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ul/io/bytes.hpp>
#include <ul/io/safetensors_type.hpp>

namespace ul {

// A view of one tensor. `bytes` holds its elements, little-endian, the last axis fastest, at any alignment.
struct safetensors_tensor {
  std::string name;
  safetensors_type type = safetensors_type::float32;
  std::vector<extent> shape;
  byte_view bytes;
};

// "(2, 3)"
inline std::string shape_text(std::span<const extent> shape) {
  std::string text = "(";
  for (const extent n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + ")";
}

// Text for text, such as the settings of the model: what a file keeps beside its tensors.
using safetensors_metadata = std::vector<std::pair<std::string, std::string>>;

struct safetensors_limits {
  extent header = 100'000'000;  // bytes, the format's own limit; reading it takes up to some 25 times as much memory
  extent tensors = 1'000'000;
  extent rank = 8;
  extent name = 4096;  // bytes
};

// The contents of a file: views of its bytes, which must outlive them.
struct safetensors {
  std::string name;                         // of the file, for messages
  std::vector<safetensors_tensor> tensors;  // in the order of their names
  safetensors_metadata metadata;

  // The tensor of that name, or null.
  const safetensors_tensor* find(std::string_view tensor) const {
    const auto at = std::lower_bound(tensors.begin(), tensors.end(), tensor,
                                     [](const safetensors_tensor& t, std::string_view n) { return t.name < n; });
    return at != tensors.end() && at->name == tensor ? &*at : nullptr;
  }
  // Throws ul::error "FILE: missing tensor NAME" when there is none.
  const safetensors_tensor& operator[](std::string_view tensor) const {
    if (const safetensors_tensor* found = find(tensor)) return *found;
    fail(printable(name), ": missing tensor ", printable(tensor));
  }
  // The text of that key, or null.
  const std::string* find_metadata(std::string_view key) const {
    for (const auto& [k, text] : metadata) {
      if (k == key) return &text;
    }
    return nullptr;
  }
};

// The elements as T, copied. Throws ul::error when the tensor holds another type.
template <class T>
std::vector<T> values_of(const safetensors_tensor& t) {
  if (t.type != safetensors_type_of<T>) {
    fail(printable(t.name), ": expected ", safetensors_name(safetensors_type_of<T>), ", got ",
         safetensors_name(t.type));
  }
  std::vector<T> values(t.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), t.bytes.data(), values.size() * sizeof(T));
  return values;
}

namespace detail {

// Why a name cannot be a tensor's; null when it can.
inline const char* name_fault(std::string_view name, const safetensors_limits& limits) {
  if (name.empty()) return "the name is empty";
  if (static_cast<extent>(name.size()) > limits.name) return "the name is too long";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "the name has a control character";
  }
  return nullptr;
}

}  // namespace detail
}  // namespace ul
