#pragma once
// Part of one axis: entries [first, first + count); `split` cuts an axis into equal parts.

#include <vector>

#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// One axis among what stands before and after it; negative axes count from the end.
struct axis_view {
  extent before, count, after;

  axis_view(const extents& shape, extent axis) {
    const extent i = axis < 0 ? axis + shape.rank() : axis;
    count = shape[axis];
    before = shape.product(0, i), after = shape.product(i + 1, shape.rank());
  }

  // Entries [first, first + n) of the axis, as points that are walked with `part`.
  space points(extent n) const { return {before, 1, n * after}; }
  template <class T>
  operand<T> part(T* data, extent first) const {
    return {data + first * after, count * after, 0, 1};
  }
};

}  // namespace detail

namespace op {

struct slice {
  static constexpr const char* name = "slice";
  extent axis = 0, first = 0, count = 0;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::axis_view view(x.shape(), axis);
    if (first < 0 || count < 0 || first > view.count - count)
      fail(name, ": entries [", first, ", ", first + count, ") of axis ", axis, " of ", x.shape(), " do not exist");
    if (keep) *keep = x.shape();
    if (view.before == 1) return x.part(first * view.after, x.shape().with(axis, count));
    return detail::mapped<T>(x.device(), x.shape().with(axis, count), view.points(count), detail::same{},
                             view.part<const T>(x.data(), first));
  }

  template <backend B, element T>
  void adjoint(const extents& before, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::axis_view view(before, axis);
    const space s = view.points(count);
    if (T* to = dx.adding(dy.device(), before))
      detail::map_into(dy.device(), s, detail::same{}, view.part(to, first), store_mode::add, detail::input(dy, s));
  }
};

}  // namespace op

// slice(x, -1, 0, C): the first C channels. A view where the part lies in one piece, else a copy.
template <tensor_like X>
auto slice(const X& x, extent axis, extent first, extent count) {
  return apply(op::slice{axis, first, count}, x);
}

// Equal parts of one axis, in order. Throws ul::error when it does not divide.
template <tensor_like X>
auto split(const X& x, extent axis, extent parts) {
  const extent n = x.shape()[axis];
  if (parts < 1 || n % parts != 0) fail("split: axis ", axis, " of ", x.shape(), " does not divide into ", parts);
  std::vector<decltype(slice(x, axis, 0, 0))> part;
  for (extent i = 0; i < parts; ++i) part.push_back(slice(x, axis, i * (n / parts), n / parts));
  return part;
}

}  // namespace ul
