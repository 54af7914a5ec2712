#pragma once
// safetensors files -> named tensors.
// A file is 8 bytes that hold the size of a header, the header (JSON: name -> type, shape, position), and the elements.
// The reader is strict: elements lie side by side in the file, nothing overlaps, nothing is left over, so that a file
// has one meaning for every reader. Source: huggingface/safetensors, README, "Format".
//
//   const ul::byte_vector bytes = ul::read_file(path);            // or bytes from anywhere else
//   const ul::safetensors file = ul::parse_safetensors(bytes, path);
//   std::vector<float> weight = ul::values_of<float>(file["first/weight"]);

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ul/io/json_reader.hpp>
#include <ul/io/safetensors.hpp>

namespace ul {
namespace detail {

class safetensors_parser {
 public:
  safetensors_parser(byte_view bytes, std::string_view name, const safetensors_limits& limits)
      : bytes_(bytes), name_(name), limits_(limits) {}

  safetensors parse() {
    const json header = parse_header();
    safetensors file{std::string(name_), {}, {}};
    for (const auto& [key, value] : header.members()) {
      if (key == "__metadata__") {
        file.metadata = parse_metadata(value);
      } else {
        file.tensors.push_back(parse_tensor(key, value));
      }
    }
    check_layout(file.tensors);
    std::sort(file.tensors.begin(), file.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return file;
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(printable(name_), ": ", parts...);
  }
  template <class... Parts>
  [[noreturn]] void refuse_tensor(std::string_view tensor, const Parts&... parts) const {
    refuse("tensor ", printable(tensor), ": ", parts...);
  }

  json parse_header() {
    if (bytes_.size() < 8) refuse("header size needs 8 bytes, the file has ", bytes_.size());
    byte_cursor cursor(bytes_, name_);
    const auto size = cursor.little<std::uint64_t>("header size");
    if (size == 0) refuse("header empty: its size is 0");
    if (std::cmp_greater(size, limits_.header)) refuse("header size exceeds limit: ", size, " of ", limits_.header);
    if (std::cmp_greater(size, cursor.remaining())) {
      refuse("header past end of file: it has ", size, " bytes, ", cursor.remaining(), " are left");
    }
    const std::string_view text = as_text(cursor.take(static_cast<extent>(size), "header"));
    if (text[0] != '{') refuse("the header starts with '", printable(text.substr(0, 1)), "', expected '{'");
    data_ = cursor.take(cursor.remaining(), "elements");
    json header = parse_json(text, std::string(name_) + ": header", {.bytes = limits_.header, .depth = 4});
    const auto count = static_cast<extent>(header.members().size());
    if (count > limits_.tensors) refuse(count, " tensors, the limit is ", limits_.tensors);
    return header;
  }

  safetensors_metadata parse_metadata(const json& value) const {
    if (!value.is_object()) refuse("__metadata__ must be an object, got ", value.kind());
    safetensors_metadata metadata;
    for (const auto& [key, text] : value.members()) {
      if (!text.is_string()) refuse("__metadata__: ", printable(key), " must be a string, got ", text.kind());
      metadata.emplace_back(key, text.string());
    }
    return metadata;
  }

  safetensors_tensor parse_tensor(const std::string& name, const json& value) const {
    if (const char* fault = name_fault(name, limits_)) refuse_tensor(name, fault);
    if (!value.is_object()) refuse_tensor(name, "must be an object, got ", value.kind());
    for (const auto& [key, ignored] : value.members()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        refuse_tensor(name, "unknown key ", printable(key), ", expected dtype, shape and data_offsets");
      }
    }
    const json& dtype = require(name, value, "dtype");
    if (!dtype.is_string()) refuse_tensor(name, "dtype must be a string, got ", dtype.kind());
    const auto type = find_safetensors_type(dtype.string());
    if (!type) refuse_tensor(name, "unknown dtype \"", printable(dtype.string()), '"');

    safetensors_tensor t{name, *type, parse_counts(name, value, "shape"), {}};
    if (static_cast<extent>(t.shape.size()) > limits_.rank) {
      refuse_tensor(name, "rank limit is ", limits_.rank, ", got ", t.shape.size());
    }
    const std::vector<extent> offsets = parse_counts(name, value, "data_offsets");
    if (offsets.size() != 2) refuse_tensor(name, "data_offsets has ", offsets.size(), " elements, expected 2");
    const extent first = offsets[0], last = offsets[1], available = static_cast<extent>(data_.size());
    if (first > last) refuse_tensor(name, "data_offsets [", first, ", ", last, "] run backwards");
    if (last > available) {
      refuse_tensor(name, "data_offsets [", first, ", ", last, "] end past the ", available, " bytes of the file");
    }
    if (const extent size = byte_size(t); size != last - first) {
      refuse_tensor(name, "data_offsets [", first, ", ", last, "] hold ", last - first, " bytes, ", shape_text(t.shape),
                    " of ", safetensors_name(t.type), " needs ", size);
    }
    t.bytes = data_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    return t;
  }

  const json& require(std::string_view name, const json& value, const char* key) const {
    if (const json* found = value.find(key)) return *found;
    refuse_tensor(name, key, " is missing");
  }

  std::vector<extent> parse_counts(const std::string& name, const json& value, const char* key) const {
    const json& list = require(name, value, key);
    if (!list.is_array()) refuse_tensor(name, key, " must be an array, got ", list.kind());
    std::vector<extent> counts;
    for (const json& n : list.elements()) {
      if (!n.is_integer()) refuse_tensor(name, key, " must hold integers, got ", n.kind());
      if (n.number() < 0) refuse_tensor(name, key, ": a negative number");
      try {
        counts.push_back(n.integer<extent>());
      } catch (const error&) {
        refuse_tensor(name, key, ": too large a number");
      }
    }
    return counts;
  }

  // Every factor is multiplied, also beside a zero: a shape whose other extents overflow is refused for all readers.
  extent byte_size(const safetensors_tensor& t) const {
    extent size = safetensors_size(t.type);
    bool empty = false;
    for (const extent n : t.shape) {
      empty = empty || n == 0;
      if (n != 0 && __builtin_mul_overflow(size, n, &size)) {
        refuse_tensor(t.name, "shape ", shape_text(t.shape), " of ", safetensors_name(t.type), " overflows");
      }
    }
    return empty ? 0 : size;
  }

  // In the order of their positions the tensors must touch each other, from the first byte to the last.
  void check_layout(std::vector<safetensors_tensor>& tensors) const {
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
      return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
    });
    extent position = 0;
    for (const safetensors_tensor& t : tensors) {
      const extent first = t.bytes.data() - data_.data();
      if (first < position)
        refuse_tensor(t.name, "overlaps another tensor: starts at ", first, ", expected ", position);
      if (first > position) refuse_tensor(t.name, "leaves a hole: starts at ", first, ", expected ", position);
      position += static_cast<extent>(t.bytes.size());
    }
    if (const extent rest = static_cast<extent>(data_.size()) - position; rest != 0) {
      refuse(rest, " bytes after the last tensor");
    }
  }

  byte_view bytes_, data_;
  std::string_view name_;
  safetensors_limits limits_;
};

}  // namespace detail

// bytes -> the tensors they hold. `name` stands in the errors. Throws ul::error on anything that is not exactly one
// complete file within the limits, naming the tensor where there is one.
inline safetensors parse_safetensors(byte_view bytes, std::string_view name, const safetensors_limits& limits = {}) {
  try {
    return detail::safetensors_parser(bytes, name, limits).parse();
  } catch (const std::bad_alloc&) {
    fail(printable(name), ": out of memory for the header");
  }
}
safetensors parse_safetensors(byte_vector&&, std::string_view, const safetensors_limits& = {}) = delete;

}  // namespace ul
