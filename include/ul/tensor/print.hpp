#pragma once
// A tensor as text: its element type, its extents and, of a long one, the first and last elements.

#include <string>

#include <ul/tensor/create.hpp>

namespace ul {

// "float32 (2, 3): 1 2 3 4 5 6"; above `limit` elements the middle is left out.
template <backend B, element T>
std::string to_string(const tensor<B, T>& x, extent limit = 12) {
  if (!x) return "no tensor";
  const std::vector<T> values = to_host(x);
  const extent n = x.size(), shown = n <= limit ? n : limit / 2;
  const message head = describe(element_name<T>, " ", x.shape(), ":");
  std::string text(head.c_str(), head.size());
  const auto show = [&](extent first, extent last) {
    for (extent i = first; i < last; ++i)
      text += describe(" ", static_cast<compute_t<T>>(values[static_cast<std::size_t>(i)])).c_str();
  };
  show(0, shown);
  if (shown < n) {
    text += " ...";
    show(n - shown, n);
  }
  return text;
}

}  // namespace ul
