#pragma once
// Blocks of positions as channels: x (B, H, W, C) <-> (B, H / p, W / p, p p C), the channels of a patch ordered by
// (row, column, channel); likewise for one or three spatial axes.

#include <ul/op/axes.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// A row of one patch: contiguous on both sides.
struct patch_grid {
  extent batch, grid[3], patch[3], channels;

  extent rows() const { return batch * grid[0] * grid[1] * grid[2] * patch[0] * patch[1]; }
  UL_HD extent width() const { return patch[2] * channels; }
  // Where row i of the patches stands in the image.
  UL_HD extent place(extent i) const {
    const extent v = i % patch[1], u = i / patch[1] % patch[0];
    extent rest = i / patch[1] / patch[0];
    const extent w = rest % grid[2];
    rest /= grid[2];
    const extent h = rest % grid[1], plane = rest / grid[1] * patch[0] + u;  // (b, d) and depth in one
    return ((plane * grid[1] * patch[1] + h * patch[1] + v) * grid[2] + w) * width();
  }
};

template <class T>
struct image_to_patches {
  patch_grid g;
  const T* image;
  T* patches;
  store_mode mode;
  UL_HD void operator()(extent i) const {
    const T* from = image + g.place(i);
    for (extent c = 0; c < g.width(); ++c) store(patches[i * g.width() + c], static_cast<compute_t<T>>(from[c]), mode);
  }
};
template <class T>
struct patches_to_image {
  patch_grid g;
  const T* patches;
  T* image;
  store_mode mode;
  UL_HD void operator()(extent i) const {
    T* to = image + g.place(i);
    for (extent c = 0; c < g.width(); ++c) store(to[c], static_cast<compute_t<T>>(patches[i * g.width() + c]), mode);
  }
};

// The grid between an image and its patches, and their extents.
struct patch_layout {
  patch_grid g{};
  extents image, patches;

  patch_layout(const char* name, const extents& x, const per_axis& patch, bool from_image) : image(x), patches(x) {
    const extent spatial = x.rank() - 2;
    if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
    g = {x[0], {1, 1, 1}, {1, 1, 1}, 0};
    extent volume = 1;
    for (extent i = 0; i < spatial; ++i) {
      const extent p = patch.at(i, spatial, name), n = x[i + 1];
      if (p < 1) fail(name, ": the patch is ", p, ", expected at least 1");
      if (from_image && n % p != 0) fail(name, ": axis ", i + 1, " of x ", x, " does not divide into patches of ", p);
      volume = checked_mul(volume, p, name);
      g.grid[3 - spatial + i] = from_image ? n / p : n, g.patch[3 - spatial + i] = p;
      patches = patches.with(i + 1, from_image ? n / p : n);
      image = image.with(i + 1, from_image ? n : checked_mul(n, p, name));
    }
    if (!from_image && x[-1] % volume != 0)
      fail(name, ": ", x[-1], " channels of x ", x, " do not divide into patches of ", volume, " positions");
    g.channels = from_image ? x[-1] : x[-1] / volume;
    patches = patches.with(-1, checked_mul(g.channels, volume, name));
    image = image.with(-1, g.channels);
  }
};

}  // namespace detail

namespace op {

struct patchify {
  static constexpr const char* name = "patchify";
  per_axis patch = 2;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::patch_layout at(name, x.shape(), patch, true);
    if (keep) *keep = x.shape();
    tensor<B, T> y(x.device(), at.patches);
    if (x.size() != 0)
      x.device().for_each(at.g.rows(), at.g.width(),
                          detail::image_to_patches<T>{at.g, x.data(), y.data(), store_mode::replace});
    return y;
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::patch_layout at(name, shape, patch, true);
    if (const auto d = dx.into(dy.device(), shape); d.data && dy.size() != 0)
      dy.device().for_each(at.g.rows(), at.g.width(), detail::patches_to_image<T>{at.g, dy.data(), d.data, d.mode});
  }
};

struct unpatchify {
  static constexpr const char* name = "unpatchify";
  per_axis patch = 2;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::patch_layout at(name, x.shape(), patch, false);
    if (keep) *keep = x.shape();
    tensor<B, T> y(x.device(), at.image);
    if (x.size() != 0)
      x.device().for_each(at.g.rows(), at.g.width(),
                          detail::patches_to_image<T>{at.g, x.data(), y.data(), store_mode::replace});
    return y;
  }
  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::patch_layout at(name, shape, patch, false);
    if (const auto d = dx.into(dy.device(), shape); d.data && dy.size() != 0)
      dy.device().for_each(at.g.rows(), at.g.width(), detail::image_to_patches<T>{at.g, dy.data(), d.data, d.mode});
  }
};

}  // namespace op

// patchify(x, 2), or a patch with an extent for each axis: patchify(x, {1, 2, 2})
template <tensor_like X>
auto patchify(const X& x, const per_axis& patch) {
  return apply(op::patchify{patch}, x);
}
template <tensor_like X>
auto unpatchify(const X& x, const per_axis& patch) {
  return apply(op::unpatchify{patch}, x);
}

}  // namespace ul
