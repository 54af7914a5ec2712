#pragma once
// Named tensors -> safetensors files. The same tensors and metadata give the same bytes: wider types come first, then
// the order of names, so that elements are aligned whenever the file is.
//
//   const std::vector<ul::safetensors_tensor> tensors{ul::named_tensor("weight", weight, {2, 3})};
//   ul::write_safetensors(path, tensors, {{"format", "ul"}});

#include <ul/io/json_writer.hpp>
#include <ul/io/safetensors.hpp>
#include <ul/io/write_file.hpp>

namespace ul {

// A tensor over elements that somebody else holds; without a shape, a vector.
template <class T>
safetensors_tensor named_tensor(std::string name, const std::vector<T>& values, std::vector<extent> shape) {
  return {std::move(name),
          safetensors_type_of<T>,
          std::move(shape),
          {reinterpret_cast<const unsigned char*>(values.data()), values.size() * sizeof(T)}};
}
template <class T>
safetensors_tensor named_tensor(std::string name, const std::vector<T>& values) {
  return named_tensor(std::move(name), values, {static_cast<extent>(values.size())});
}

namespace detail {

inline void check_tensor(const safetensors_tensor& t) {
  const safetensors_limits limits;
  const auto refuse = [&](const auto&... parts) { fail("safetensors: tensor ", printable(t.name), ": ", parts...); };
  if (const char* fault = name_fault(t.name, limits)) refuse(fault);
  if (t.name == "__metadata__") refuse("the name is reserved");
  if (std::cmp_greater(t.shape.size(), limits.rank)) refuse("rank limit is ", limits.rank, ", got ", t.shape.size());
  extent size = safetensors_size(t.type);
  for (const extent n : t.shape) {
    if (n < 0) refuse("shape ", shape_text(t.shape), " has a negative extent");
    size = checked_mul(size, n, "safetensors");
  }
  if (std::cmp_not_equal(size, t.bytes.size())) {
    refuse(t.bytes.size(), " bytes, ", shape_text(t.shape), " of ", safetensors_name(t.type), " needs ", size);
  }
}

template <class Names>
void refuse_twice(Names names, const char* what) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail("safetensors: ", what, ' ', printable(*twice), " stands there twice");
}

// The tensors in the order of the file.
inline std::vector<const safetensors_tensor*> file_order(std::span<const safetensors_tensor> tensors) {
  std::vector<const safetensors_tensor*> order;
  std::vector<std::string_view> names;
  for (const safetensors_tensor& t : tensors) {
    check_tensor(t);
    order.push_back(&t);
    names.push_back(t.name);
  }
  refuse_twice(std::move(names), "tensor");
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return safetensors_size(a->type) != safetensors_size(b->type)
               ? safetensors_size(a->type) > safetensors_size(b->type)
               : a->name < b->name;
  });
  return order;
}

// The first bytes of the file, up to the elements.
inline byte_vector safetensors_head(const std::vector<const safetensors_tensor*>& order,
                                    const safetensors_metadata& metadata) {
  json::object header;
  if (!metadata.empty()) {
    json::object texts;
    std::vector<std::string_view> keys;
    for (const auto& [key, text] : metadata) {
      texts.push_back({key, text});
      keys.push_back(key);
    }
    refuse_twice(std::move(keys), "metadata");
    header.push_back({"__metadata__", std::move(texts)});
  }
  extent offset = 0;
  for (const safetensors_tensor* t : order) {
    const extent first = offset;
    offset = checked_add(offset, static_cast<extent>(t->bytes.size()), "safetensors");
    json::object entry{{"dtype", safetensors_name(t->type)},
                       {"shape", json::array(t->shape.begin(), t->shape.end())},
                       {"data_offsets", json::array{first, offset}}};
    header.push_back({t->name, std::move(entry)});
  }
  std::string text = to_text(json(std::move(header)));
  text.append((8 - text.size() % 8) % 8, ' ');
  if (const extent limit = safetensors_limits{}.header; std::cmp_greater(text.size(), limit)) {
    fail("safetensors: the header has ", text.size(), " bytes, the limit is ", limit);
  }
  byte_vector head;
  append_little(head, std::uint64_t{text.size()});
  append_bytes(head, as_bytes(text));
  return head;
}

}  // namespace detail

// Writes the file piece by piece to anything with a member `write(byte_view)`. Throws ul::error for what the reader
// would refuse: names that are empty, too long, unprintable or there twice, a size that is not that of the shape, text
// that is not UTF-8.
template <class Sink>
void put_safetensors(Sink& sink, std::span<const safetensors_tensor> tensors,
                     const safetensors_metadata& metadata = {}) {
  const auto order = detail::file_order(tensors);
  sink.write(byte_view(detail::safetensors_head(order, metadata)));
  for (const safetensors_tensor* t : order) sink.write(t->bytes);
}

// The bytes of the file.
inline byte_vector encode_safetensors(std::span<const safetensors_tensor> tensors,
                                      const safetensors_metadata& metadata = {}) {
  struct {
    byte_vector bytes;
    void write(byte_view more) { append_bytes(bytes, more); }
  } memory;
  put_safetensors(memory, tensors, metadata);
  return std::move(memory.bytes);
}

// The file itself, atomically. Throws ul::error as put_safetensors and atomic_file do.
inline void write_safetensors(const std::string& path, std::span<const safetensors_tensor> tensors,
                              const safetensors_metadata& metadata = {}) {
  atomic_file file(path);
  put_safetensors(file, tensors, metadata);
  file.commit();
}

}  // namespace ul
