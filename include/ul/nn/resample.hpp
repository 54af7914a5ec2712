#pragma once
// Changing the resolution of a feature map by learned layers.

#include <ul/nn/conv.hpp>
#include <ul/op/resize.hpp>

namespace ul::nn {

// The spatial extents of x (B, spatial..., C).
template <class X>
extents grid_of(const X& x) {
  if (x.shape().rank() < 3) fail("grid: x is ", x.shape(), ", expected (B, spatial..., C)");
  return extents(x.shape().begin() + 1, x.shape().rank() - 2);
}

// The extents twice as large along every axis.
inline extents doubled(const extents& grid) {
  extents out = grid;
  for (extent i = 0; i < grid.rank(); ++i) out = out.with(i, checked_mul(2, grid[i], "doubled"));
  return out;
}

// x (B, spatial..., in) -> (B, ceil(spatial / 2)..., out): a 3-wide convolution of stride 2. Parameters as of conv.
template <backend B, element T>
class downsample {
 public:
  downsample(const scope<B, T>& s, extent in, extent out, extent axes = 2)
      : conv_(s, in, out, {.kernel = 3, .stride = 2, .axes = axes}) {}

  var<B, T> operator()(const var<B, T>& x) const { return conv_(x); }

 private:
  conv<B, T> conv_;
};

// x (B, spatial..., in) -> (B, grid..., out): nearest neighbours, then a 3-wide convolution. Without a grid, twice the
// resolution. Odena, Dumoulin and Olah 2016. Parameters as of conv.
template <backend B, element T>
class resize_conv {
 public:
  resize_conv(const scope<B, T>& s, extent in, extent out, extent axes = 2) : conv_(s, in, out, {.axes = axes}) {}

  var<B, T> operator()(const var<B, T>& x) const { return (*this)(x, doubled(grid_of(x))); }
  var<B, T> operator()(const var<B, T>& x, const extents& grid) const {
    return conv_(resize(x, grid, interpolation::nearest));
  }

 private:
  conv<B, T> conv_;
};

}  // namespace ul::nn
