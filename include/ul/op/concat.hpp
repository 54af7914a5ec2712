#pragma once
// Tensors side by side along one axis; their other extents are equal.

#include <vector>

#include <ul/op/slice.hpp>

namespace ul {

namespace op {

struct concat {
  static constexpr const char* name = "concat";
  extent axis = -1;

  template <backend B, element T>
  using saved = std::vector<extents>;  // of the parts

  template <backend B, element T, class... X>
  tensor<B, T> forward(std::vector<extents>* keep, const tensor<B, T>& first, const X&... rest) const {
    extent count = first.shape()[axis];
    const auto include = [&](const extents& shape) {
      if (shape.rank() != first.rank() || shape.with(axis, 0) != first.shape().with(axis, 0))
        fail(name, ": ", shape, " does not fit beside ", first.shape(), " along axis ", axis);
      count = checked_add(count, shape[axis], name);
    };
    (include(rest.shape()), ...);
    if (keep) *keep = {first.shape(), rest.shape()...};
    tensor<B, T> y(first.device(), first.shape().with(axis, count));
    const detail::axis_view view(y.shape(), axis);
    extent from = 0;
    const auto place = [&](const tensor<B, T>& x) {
      const space s = view.points(x.shape()[axis]);
      detail::map_into(y.device(), s, detail::same{}, view.part(y.data(), from), store_mode::replace,
                       detail::input(x, s));
      from += x.shape()[axis];
    };
    place(first);
    (place(rest), ...);
    return y;
  }

  template <backend B, element T, class... Gradients>
  void adjoint(const std::vector<extents>& parts, const tensor<B, T>& dy, Gradients&... dx) const {
    const detail::axis_view view(dy.shape(), axis);
    const extents* part = parts.data();
    extent from = 0;
    const auto take = [&](gradient<B, T>& d) {
      const extent n = (*part)[axis];
      d.map(dy.device(), *part++, view.points(n), detail::same{}, view.part<const T>(dy.data(), from));
      from += n;
    };
    (take(dx), ...);
  }
};

}  // namespace op

// concat(-1, x, skip): the channels of x, then those of skip.
template <tensor_like X, tensor_like... Rest>
auto concat(extent axis, const X& x, const Rest&... rest) {
  return apply(op::concat{axis}, x, rest...);
}

}  // namespace ul
