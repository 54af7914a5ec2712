#pragma once
// Parameters on the reference backend, written, compared and differentiated.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <ul/backend/reference.hpp>
#include <ul/core/torch_stream.hpp>
#include <ul/grad/check.hpp>

namespace ul::test {

template <class T>
using store = parameters<reference, T>;
template <class T>
using host_var = var<reference, T>;
template <class T>
using host_tensor = tensor<reference, T>;

inline const parameter_entry& entry_of(const std::vector<parameter_entry>& entries, std::string_view path) {
  for (const parameter_entry& e : entries)
    if (e.path == path) return e;
  fail("test: no parameter ", path);
}

template <backend B, class T>
void write(const parameters<B, T>& p, const std::string& path, const std::vector<T>& values) {
  const parameter_entry& e = entry_of(p.entries(), path[0] == '/' ? path.substr(1) : path);
  REQUIRE(static_cast<extent>(values.size()) == e.shape.size());
  const auto place = p.part(p.value(), e);
  p.device().upload(place.data(), values.data(), e.shape.size() * extent{sizeof(T)});
}

// Every parameter normal, so that no zero or one of the usual start hides a mistake.
template <class T>
void shake(const store<T>& p, double deviation = 0.5) {
  std::uint64_t i = 0;
  for (const parameter_entry& e : p.entries())
    initialise(normal_init(deviation), key(17).fold_in(i++), p.part(p.value(), e).data(), e.shape.size());
}

// Checks the gradients of f(x) in all parameters of `p` and in x, and that none of them is zero throughout.
template <class F>
void check_gradients(store<double>& p, const host_tensor<double>& x, const F& f) {
  CHECK_NOTHROW(check_gradient(f, x));
  CHECK_NOTHROW(check_parameter_gradient(p, f, x));
  for (const parameter_entry& e : p.entries()) {
    CAPTURE(e.path);
    double size = 0;
    for (const double g : to_host(p.part(p.gradient(), e))) size += std::abs(g);
    CHECK(size > 0);
  }
}

// A torch tensor's values in the order in which it stores them.
inline std::vector<float> drawn_normal(torch_stream& stream, extent count) {
  std::vector<float> v(static_cast<std::size_t>(count));
  stream.normal(v.data(), count);
  return v;
}
inline std::vector<float> drawn_uniform(torch_stream& stream, extent count, extent fan_in) {
  const float bound = 1 / std::sqrt(static_cast<float>(fan_in));
  std::vector<float> v(static_cast<std::size_t>(count));
  for (float& x : v) x = stream.uniform(-bound, bound);
  return v;
}

// (outer, positions) -> (positions, outer): torch's (C, H W) to channels last, and its weights (out, in) to (in, out).
inline std::vector<float> swapped(const std::vector<float>& v, extent rows, extent columns) {
  std::vector<float> out(v.size());
  for (extent r = 0; r < rows; ++r)
    for (extent c = 0; c < columns; ++c)
      out[static_cast<std::size_t>(c * rows + r)] = v[static_cast<std::size_t>(r * columns + c)];
  return out;
}

}  // namespace ul::test
