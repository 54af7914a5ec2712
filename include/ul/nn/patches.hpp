#pragma once
// Cutting a feature map into patches that become the positions of a coarser one, and back.

#include <ul/nn/linear.hpp>
#include <ul/op/patchify.hpp>

namespace ul::nn {

// The grid of patches: every extent divided by `patch`. Throws ul::error where one does not divide.
inline extents patch_grid(const extents& grid, extent patch) {
  extents out = grid;
  for (extent i = 0; i < grid.rank(); ++i) {
    if (patch < 1 || grid[i] % patch != 0) fail("patches: grid ", grid, " does not divide into patches of ", patch);
    out = out.with(i, grid[i] / patch);
  }
  return out;
}

// The elements of one patch of `channels` channels over `axes` spatial axes.
inline extent patch_size(extent patch, extent axes, extent channels) {
  for (extent i = 0; i < axes; ++i) channels = checked_mul(channels, patch, "patches");
  return channels;
}

struct patch_options {
  extent patch = 2;
  extent axes = 2;
  initial start = initial::standard;
};

// x (B, spatial..., in) -> (B, spatial / patch..., out). Parameters: weight (patch^axes in, out), bias (out).
template <backend B, element T>
class to_patches {
 public:
  to_patches(const scope<B, T>& s, extent in, extent out, const patch_options& o = {})
      : patch_(o.patch), linear_(s, patch_size(o.patch, o.axes, in), out, {.start = o.start}) {}

  var<B, T> operator()(const var<B, T>& x) const { return linear_(patch_ == 1 ? x : patchify(x, patch_)); }

 private:
  extent patch_;
  linear<B, T> linear_;
};

// x (B, spatial..., in) -> (B, spatial * patch..., out). Parameters: weight (in, patch^axes out), bias (patch^axes
// out).
template <backend B, element T>
class from_patches {
 public:
  from_patches(const scope<B, T>& s, extent in, extent out, const patch_options& o = {})
      : patch_(o.patch), linear_(s, in, patch_size(o.patch, o.axes, out), {.start = o.start}) {}

  var<B, T> operator()(const var<B, T>& x) const {
    const var<B, T> y = linear_(x);
    return patch_ == 1 ? y : unpatchify(y, patch_);
  }

 private:
  extent patch_;
  linear<B, T> linear_;
};

}  // namespace ul::nn
