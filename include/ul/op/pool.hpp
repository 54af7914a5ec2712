#pragma once
// Means over blocks of positions: x (B, 1 to 3 spatial axes, C), every spatial extent divided by its factor.

#include <ul/op/axes.hpp>
#include <ul/op/channel_sum.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// Positions (small) and the blocks of `factor` positions of the larger grid they stand for.
struct pooled_grid {
  extent small[3], factor[3], channels;

  UL_HD extent block() const { return factor[0] * factor[1] * factor[2]; }
  UL_HD extent positions() const { return small[0] * small[1] * small[2]; }
  // The place in the large grid of number `n` of the block of position `p`, which counts on over samples.
  UL_HD extent place(extent p, extent n) const {
    const extent at[3] = {p / small[2] / small[1], p / small[2] % small[1], p % small[2]};
    const extent in[3] = {n / factor[2] / factor[1], n / factor[2] % factor[1], n % factor[2]};
    const extent row = (at[0] * factor[0] + in[0]) * small[1] * factor[1] + at[1] * factor[1] + in[1];
    return (row * small[2] * factor[2] + at[2] * factor[2] + in[2]) * channels;
  }
};

template <class T>
struct block_mean {
  pooled_grid g;
  const T* x;
  T* y;
  UL_HD void operator()(extent p) const {
    const compute_t<T> scale = 1 / static_cast<compute_t<T>>(g.block());
    for (extent c = 0; c < g.channels; c += channel_sum<T>::width) {
      channel_sum<T> sum;
      const extent run = sum.run(c, g.channels);
      for (extent n = 0; n < g.block(); ++n) sum.add(x + g.place(p, n) + c, run, scale);
      sum.put(y + p * g.channels + c, run, store_mode::replace);
    }
  }
};
template <class T>
struct block_spread {
  pooled_grid g;
  const T* dy;
  T* dx;
  store_mode mode;
  UL_HD void operator()(extent p) const {
    const compute_t<T> scale = 1 / static_cast<compute_t<T>>(g.block());
    for (extent n = 0; n < g.block(); ++n)
      for (extent c = 0; c < g.channels; ++c)
        store(dx[g.place(p, n) + c], static_cast<compute_t<T>>(dy[p * g.channels + c]) * scale, mode);
  }
};

}  // namespace detail

namespace op {

struct avg_pool {
  static constexpr const char* name = "avg_pool";
  per_axis factor = 2;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::pooled_grid g = grid(x.shape());
    if (keep) *keep = x.shape();
    extents shape = x.shape();
    for (extent i = 1; i < x.rank() - 1; ++i) shape = shape.with(i, g.small[i + 4 - x.rank()]);
    tensor<B, T> y(x.device(), shape);
    if (y.size() != 0)
      x.device().for_each(shape[0] * g.positions(), g.block() * g.channels,
                          detail::block_mean<T>{g, x.data(), y.data()});
    return y;
  }

  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::pooled_grid g = grid(shape);
    if (const auto d = dx.into(dy.device(), shape); d.data && dy.size() != 0)
      dy.device().for_each(shape[0] * g.positions(), g.block() * g.channels,
                           detail::block_spread<T>{g, dy.data(), d.data, d.mode});
  }

 private:
  detail::pooled_grid grid(const extents& x) const {
    const extent spatial = x.rank() - 2;
    if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
    detail::pooled_grid g{{1, 1, 1}, {1, 1, 1}, x[-1]};
    for (extent i = 0; i < spatial; ++i) {
      const extent f = factor.at(i, spatial, name);
      if (f < 1 || x[i + 1] % f != 0) fail(name, ": axis ", i + 1, " of x ", x, " does not divide into blocks of ", f);
      g.small[3 - spatial + i] = x[i + 1] / f, g.factor[3 - spatial + i] = f;
    }
    return g;
  }
};

}  // namespace op

// avg_pool(x, 2), or a factor for each axis: avg_pool(x, {1, 2, 2})
template <tensor_like X>
auto avg_pool(const X& x, const per_axis& factor) {
  return apply(op::avg_pool{factor}, x);
}

}  // namespace ul
