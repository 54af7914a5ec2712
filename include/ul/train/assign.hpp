#pragma once
// Replacing all values of a parameter store at once.

#include <ul/grad/parameters.hpp>
#include <ul/op/mapped.hpp>

namespace ul {

namespace detail {

// Rounds the masters into the values blocks compute with, where these are apart.
template <backend B, element T>
void refresh_shadow(parameters<B, T>& p) {
  if constexpr (!std::is_same_v<T, master_t<T>>) {
    const space s = flat(p.master());
    map_into(p.device(), s, same{}, dense(p.value().data(), s), store_mode::replace, input(p.master(), s));
  }
}

}  // namespace detail

// Sets all values from a flat buffer, such as an average or a checkpoint. values (flat_size).
// Throws ul::error when the sizes differ.
template <backend B, element T>
void assign(parameters<B, T>& p, const tensor<B, master_t<T>>& values) {
  const auto& master = p.master();
  if (!values || values.size() != master.size())
    fail("assign: ", values ? values.size() : 0, " values, the parameters have ", master.size());
  p.device().copy(master.data(), values.data(), master.size() * extent{sizeof(master_t<T>)});
  detail::refresh_shadow(p);
}

}  // namespace ul
