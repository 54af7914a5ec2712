#pragma once
// Zeros put around the spatial axes of x (B, 1 to 3 spatial axes, C), or a border cut off them; one is the other's
// adjoint.

#include <ul/op/axes.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// A box of positions inside a larger one, over three spatial axes, the leading of which may be 1.
struct inner_box {
  extent batch, large[3], small[3], low[3], channels;

  // The place in the larger of row (b, i, j, all of k) of the smaller.
  UL_HD extent place(extent row) const {
    const extent j = row % small[1], i = row / small[1] % small[0], b = row / small[1] / small[0];
    return (((b * large[0] + i + low[0]) * large[1] + j + low[1]) * large[2] + low[2]) * channels;
  }
  extent rows() const { return batch * small[0] * small[1]; }
  UL_HD extent width() const { return small[2] * channels; }
};

template <class T>
struct row_from_box {
  inner_box box;
  const T* large;
  T* small;
  store_mode mode;
  UL_HD void operator()(extent row) const {
    const T* from = large + box.place(row);
    T* to = small + row * box.width();
    for (extent i = 0; i < box.width(); ++i) store(to[i], static_cast<compute_t<T>>(from[i]), mode);
  }
};
template <class T>
struct row_into_box {
  inner_box box;
  const T* small;
  T* large;
  store_mode mode;
  UL_HD void operator()(extent row) const {
    const T* from = small + row * box.width();
    T* to = large + box.place(row);
    for (extent i = 0; i < box.width(); ++i) store(to[i], static_cast<compute_t<T>>(from[i]), mode);
  }
};

// The box for a border of `low` and `high` around the smaller shape (sign +1: x is the smaller; -1: the larger).
inline inner_box box_of(const char* name, const extents& x, const per_axis& low, const per_axis& high, int sign) {
  const extent spatial = x.rank() - 2;
  if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
  inner_box box{x[0], {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, x[-1]};
  for (extent i = 0; i < spatial; ++i) {
    const extent a = 3 - spatial + i, n = x[i + 1], l = low.at(i, spatial, name), h = high.at(i, spatial, name);
    if (l < 0 || h < 0) fail(name, ": the border is ", l, " and ", h, ", expected at least 0");
    const extent border = checked_add(l, h, name), other = sign > 0 ? checked_add(n, border, name) : n - border;
    if (other < 0) fail(name, ": axis ", i + 1, " of ", x, " is shorter than the border ", l, " and ", h);
    box.low[a] = l, box.large[a] = sign > 0 ? other : n, box.small[a] = sign > 0 ? n : other;
  }
  return box;
}
inline extents with_positions(const extents& x, const extent (&axes)[3]) {
  extents shape = x;
  for (extent i = 1; i < x.rank() - 1; ++i) shape = shape.with(i, axes[i + 4 - x.rank()]);
  return shape;
}

}  // namespace detail

namespace op {

struct pad {
  static constexpr const char* name = "pad";
  per_axis low = 0, high = 0;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::inner_box box = detail::box_of(name, x.shape(), low, high, 1);
    if (keep) *keep = x.shape();
    tensor<B, T> y = zeros<T>(x.device(), detail::with_positions(x.shape(), box.large));
    if (x.size() != 0)
      x.device().for_each(box.rows(), box.width(),
                          detail::row_into_box<T>{box, x.data(), y.data(), store_mode::replace});
    return y;
  }

  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::inner_box box = detail::box_of(name, shape, low, high, 1);
    if (const auto d = dx.into(dy.device(), shape); d.data && shape.size() != 0)
      dy.device().for_each(box.rows(), box.width(), detail::row_from_box<T>{box, dy.data(), d.data, d.mode});
  }
};

struct crop {
  static constexpr const char* name = "crop";
  per_axis low = 0, high = 0;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::inner_box box = detail::box_of(name, x.shape(), low, high, -1);
    if (keep) *keep = x.shape();
    tensor<B, T> y(x.device(), detail::with_positions(x.shape(), box.small));
    if (y.size() != 0)
      x.device().for_each(box.rows(), box.width(),
                          detail::row_from_box<T>{box, x.data(), y.data(), store_mode::replace});
    return y;
  }

  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::inner_box box = detail::box_of(name, shape, low, high, -1);
    if (T* to = dx.adding(dy.device(), shape); to && dy.size() != 0)
      dy.device().for_each(box.rows(), box.width(), detail::row_into_box<T>{box, dy.data(), to, store_mode::add});
  }
};

}  // namespace op

// pad(x, {.low = {0, 0}, .high = {1, 1}})
template <tensor_like X>
auto pad(const X& x, const op::pad& border) {
  return apply(border, x);
}
// crop(x, {.low = 1, .high = 1})
template <tensor_like X>
auto crop(const X& x, const op::crop& border) {
  return apply(border, x);
}

}  // namespace ul
