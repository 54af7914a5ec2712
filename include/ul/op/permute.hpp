#pragma once
// The axes in another order: y's axis i is x's axis order[i].

#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// Row `row` of y (rows, inner), read from x by the strides of y's axes in x.
template <class T>
struct permuted_row {
  extent shape[extents::max_rank], stride[extents::max_rank];  // of y's axes; the last axis is inner
  const T* x;
  T* y;
  store_mode mode;

  UL_HD void operator()(extent row) const {
    constexpr extent last = extents::max_rank - 1;
    extent from = 0, rest = row;
    for (extent a = last - 1; a >= 0; --a) from += rest % shape[a] * stride[a], rest /= shape[a];
    for (extent i = 0; i < shape[last]; ++i)
      store(y[row * shape[last] + i], static_cast<compute_t<T>>(x[from + i * stride[last]]), mode);
  }
};

}  // namespace detail

namespace op {

struct permute {
  static constexpr const char* name = "permute";
  extents order;  // each axis once

  template <backend B, element T>
  using saved = nothing;

  template <backend B, element T>
  tensor<B, T> forward(nothing*, const tensor<B, T>& x) const {
    bool seen[extents::max_rank] = {}, fits = order.rank() == x.rank();
    extents shape = x.shape();
    for (extent i = 0; fits && i < x.rank(); ++i) {
      const extent axis = order[i];
      fits = axis < x.rank() && !seen[axis];
      if (!fits) break;
      seen[axis] = true;
      shape = shape.with(i, x.shape()[axis]);
    }
    if (!fits) fail(name, ": the order ", order, " is none of the axes of ", x.shape());
    tensor<B, T> y(x.device(), shape);
    move(order, x, y.shape(), y.data(), store_mode::replace);
    return y;
  }

  template <backend B, element T>
  void adjoint(const nothing&, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    extents back = order, shape = dy.shape();
    for (extent i = 0; i < order.rank(); ++i)
      back = back.with(order[i], i), shape = shape.with(order[i], dy.shape()[i]);
    if (const auto d = dx.into(dy.device(), shape); d.data) move(back, dy, shape, d.data, d.mode);
  }

 private:
  template <backend B, element T>
  static void move(const extents& order, const tensor<B, T>& x, const extents& shape, T* y, store_mode mode) {
    if (x.size() == 0) return;
    detail::permuted_row<T> row{{}, {}, x.data(), y, mode};
    const extent lead = extents::max_rank - shape.rank();
    for (extent i = 0; i < lead; ++i) row.shape[i] = 1;
    for (extent i = 0; i < shape.rank(); ++i) {
      row.shape[lead + i] = shape[i];
      row.stride[lead + i] = x.shape().product(order[i] + 1, x.rank());
    }
    const extent inner = row.shape[extents::max_rank - 1];
    x.device().for_each(x.size() / inner, inner, row);
  }
};

}  // namespace op

// permute(x, {0, 3, 1, 2}): channels first.
template <tensor_like X>
auto permute(const X& x, const extents& order) {
  return apply(op::permute{order}, x);
}

}  // namespace ul
