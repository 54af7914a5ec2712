#pragma once
// Parameters in safetensors files: one tensor for each, under its path.
//
//   ul::parameter_tensors<float> tensors;                       // float, double, bf16 or fp16 in the file
//   tensors.add(p, p.master());                                 // or an average of the weights
//   ul::write_safetensors("model.safetensors", tensors.list(), {{"config", text}});
//
//   const ul::byte_vector bytes = ul::read_file("model.safetensors");
//   ul::load_parameters(p, ul::parse_safetensors(bytes, "model.safetensors"));

#include <cmath>
#include <deque>

#include <ul/grad/parameters.hpp>
#include <ul/io/safetensors_reader.hpp>
#include <ul/io/safetensors_writer.hpp>

namespace ul {

namespace detail {

inline std::vector<extent> shape_of(const parameter_entry& e) { return {e.shape.begin(), e.shape.end()}; }

}  // namespace detail

// Copies of parameters on the host, as elements S, to be written.
template <element S>
class parameter_tensors {
 public:
  parameter_tensors() = default;
  parameter_tensors(const parameter_tensors&) = delete;

  // Adds every parameter of a store, with its values from a flat buffer (flat_size) of it, as "<prefix><path>".
  // Throws ul::error when the sizes differ.
  template <backend B, element T>
  void add(const parameters<B, T>& p, const tensor<B, master_t<T>>& flat, const std::string& prefix = "") {
    if (flat.size() != p.flat_size()) {
      fail("parameter_tensors: ", flat.size(), " values, the parameters have ", p.flat_size());
    }
    const auto host = to_host(flat);
    std::vector<S>& kept = values_.emplace_back();
    kept.reserve(host.size());
    for (const master_t<T> x : host) kept.push_back(static_cast<S>(static_cast<compute_t<S>>(x)));
    for (const parameter_entry& e : p.entries()) {
      const byte_view part(reinterpret_cast<const unsigned char*>(kept.data() + e.offset),
                           static_cast<std::size_t>(e.shape.size()) * sizeof(S));
      list_.push_back({prefix + e.path, safetensors_type_of<S>, detail::shape_of(e), part});
    }
  }

  // Views of the copies, for write_safetensors.
  const std::vector<safetensors_tensor>& list() const { return list_; }

 private:
  std::deque<std::vector<S>> values_;
  std::vector<safetensors_tensor> list_;
};

// Throws ul::error when a file of these bytes cannot hold so many values, of two bytes at least: to be asked before
// memory is taken, as a config may want more than any file holds.
inline void check_room(std::string_view file, byte_view bytes, extent count) {
  if (count > static_cast<extent>(bytes.size()) / 2)
    fail(printable(file), ": ", bytes.size(), " bytes cannot hold the ", count, " parameters of its config");
}

// Whether a file must hold the very type of the masters, or any of the four floating types.
enum class type_match { exact, floating };

struct load_options {
  std::string prefix = {};  // what stands in front of the paths in the file
  type_match types = type_match::exact;
};

namespace detail {

// The elements as M, converted from any floating type (rounded to nearest) where that is allowed.
template <class M>
std::vector<M> read_values(const std::string& file, const safetensors_tensor& t, type_match types) {
  const auto convert = []<class S>(const std::vector<S>& stored) {
    std::vector<M> values;
    values.reserve(stored.size());
    for (const S x : stored) values.push_back(static_cast<M>(static_cast<compute_t<S>>(x)));
    return values;
  };
  if (t.type == safetensors_type_of<M>) return values_of<M>(t);
  if (types == type_match::floating) {
    if (t.type == safetensors_type::float32) return convert(values_of<float>(t));
    if (t.type == safetensors_type::float64) return convert(values_of<double>(t));
    if (t.type == safetensors_type::float16) return convert(values_of<fp16>(t));
    if (t.type == safetensors_type::bfloat16) return convert(values_of<bf16>(t));
  }
  fail(printable(file), ": tensor ", printable(t.name), ": expected ", safetensors_name(safetensors_type_of<M>),
       ", got ", safetensors_name(t.type));
}

// Throws unless the names below the prefix are exactly those of the parameters.
inline void check_names(const safetensors& file, const std::vector<parameter_entry>& entries,
                        const std::string& prefix) {
  std::vector<std::string> wanted;
  for (const parameter_entry& e : entries) wanted.push_back(prefix + e.path);
  for (const std::string& name : wanted) file[name];
  std::sort(wanted.begin(), wanted.end());
  for (const safetensors_tensor& t : file.tensors) {
    if (t.name.starts_with(prefix) && !std::binary_search(wanted.begin(), wanted.end(), t.name)) {
      fail(printable(file.name), ": unexpected tensor ", printable(t.name));
    }
  }
}

}  // namespace detail

// The values of all parameters from a file -> a flat buffer (flat_size), such as for `assign`. Other tensors are left
// alone if there is a prefix and they do not start with it. Throws ul::error naming file and tensor: missing,
// unexpected, of another shape or type, or with a value that is not finite.
template <backend B, element T>
tensor<B, master_t<T>> read_parameters(const parameters<B, T>& p, const safetensors& file, const load_options& o = {}) {
  using M = master_t<T>;
  detail::check_names(file, p.entries(), o.prefix);
  std::vector<M> flat(static_cast<std::size_t>(p.flat_size()));
  for (const parameter_entry& e : p.entries()) {
    const safetensors_tensor& t = file[o.prefix + e.path];
    if (t.shape != detail::shape_of(e)) {
      fail(printable(file.name), ": tensor ", printable(t.name), ": expected ", e.shape, ", got ", shape_text(t.shape));
    }
    const std::vector<M> values = detail::read_values<M>(file.name, t, o.types);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        fail(printable(file.name), ": tensor ", printable(t.name), ": element ", i, " is ", values[i],
             ", expected a finite number");
      }
    }
    std::copy(values.begin(), values.end(), flat.begin() + e.offset);
  }
  return from_host<M>(p.device(), {p.flat_size()}, flat);
}

// Sets all parameters from a file. Throws ul::error as read_parameters does, and then none has changed.
template <backend B, element T>
void load_parameters(parameters<B, T>& p, const safetensors& file, const load_options& o = {}) {
  const tensor<B, master_t<T>> flat = read_parameters(p, file, o);
  p.device().copy(p.master().data(), flat.data(), flat.size() * extent{sizeof(master_t<T>)});
  if constexpr (!std::is_same_v<T, master_t<T>>) {
    const tensor<B, T> shadow = cast<T>(flat);
    p.device().copy(p.value().data(), shadow.data(), shadow.size() * extent{sizeof(T)});
  }
}

}  // namespace ul
