#pragma once
// Interpolation of x (B, in..., C) with 1 to 3 spatial axes -> (B, out..., C). No smoothing before reductions.
//   nearest            output o takes input floor(o in / out)
//   bilinear           linear along each axis, samples at the middles of cells: input (o + 1/2) in / out - 1/2, held
//                      at the borders (`align_corners` false elsewhere)
//   bilinear_corners   linear along each axis, the first and last samples fall on each other: o (in - 1) / (out - 1)

#include <ul/op/op.hpp>

namespace ul {

enum class interpolation { nearest, bilinear, bilinear_corners };

namespace detail {

// One axis: which two inputs an output mixes.
struct resized_axis {
  extent in = 1, out = 1;

  struct mix {
    extent first, second;
    double weight;  // of the second
  };
  UL_HD mix at(extent o, interpolation kind) const {
    if (kind == interpolation::nearest) {
      const extent i = o * in / out;
      return {i, i, 0};
    }
    double from = 0;
    if (kind == interpolation::bilinear)
      from = (static_cast<double>(o) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    else if (out > 1)
      from = static_cast<double>(o) * static_cast<double>(in - 1) / static_cast<double>(out - 1);
    if (from < 0) from = 0;
    extent first = static_cast<extent>(from);
    if (first > in - 1) first = in - 1;
    return {first, first + 1 < in ? first + 1 : first, from - static_cast<double>(first)};
  }
  // The share of input i in output o.
  UL_HD double share(extent i, extent o, interpolation kind) const {
    const mix m = at(o, kind);
    return (m.first == i ? 1 - m.weight : 0) + (m.second == i ? m.weight : 0);
  }
  // Outputs outside [first_of(i), last_of(i)) do not look at input i.
  UL_HD extent first_of(extent i) const {
    const extent o = (i - 2) * out / in - 1;
    return in == 1 || o < 0 ? 0 : o;
  }
  UL_HD extent last_of(extent i) const {
    const extent o = (i + 2) * out / in + 2;
    return in == 1 || o > out ? out : o;
  }
};

struct resized_grid {
  resized_axis axis[3];
  extent channels;
  interpolation kind;
};

template <class T>
struct resized_position {
  resized_grid g;
  const T* x;
  T* y;
  UL_HD void operator()(extent p) const {
    const resized_axis* a = g.axis;
    const extent b = p / a[2].out / a[1].out / a[0].out;
    const resized_axis::mix m[3] = {a[0].at(p / a[2].out / a[1].out % a[0].out, g.kind),
                                    a[1].at(p / a[2].out % a[1].out, g.kind), a[2].at(p % a[2].out, g.kind)};
    T* to = y + p * g.channels;
    for (extent c = 0; c < g.channels; ++c) {
      double sum = 0;
      for (int corner = 0; corner < 8; ++corner) {
        double weight = 1;
        extent from = b;
        for (int i = 0; i < 3; ++i) {
          const bool second = (corner >> i & 1) != 0;
          weight *= second ? m[i].weight : 1 - m[i].weight;
          from = from * a[i].in + (second ? m[i].second : m[i].first);
        }
        if (weight != 0) sum += weight * static_cast<double>(x[from * g.channels + c]);
      }
      to[c] = static_cast<T>(static_cast<compute_t<T>>(sum));
    }
  }
};

template <class T>
struct resized_position_adjoint {
  resized_grid g;
  const T* dy;
  T* dx;
  store_mode mode;
  UL_HD void operator()(extent p) const {
    const resized_axis* a = g.axis;
    const extent b = p / a[2].in / a[1].in / a[0].in;
    const extent i[3] = {p / a[2].in / a[1].in % a[0].in, p / a[2].in % a[1].in, p % a[2].in};
    for (extent c = 0; c < g.channels; ++c) {
      double sum = 0;
      for (extent u = a[0].first_of(i[0]); u < a[0].last_of(i[0]); ++u) {
        const double plane = a[0].share(i[0], u, g.kind);
        for (extent v = a[1].first_of(i[1]); plane != 0 && v < a[1].last_of(i[1]); ++v) {
          const double row = plane * a[1].share(i[1], v, g.kind);
          for (extent w = a[2].first_of(i[2]); row != 0 && w < a[2].last_of(i[2]); ++w) {
            const double weight = row * a[2].share(i[2], w, g.kind);
            const extent from = ((b * a[0].out + u) * a[1].out + v) * a[2].out + w;
            if (weight != 0) sum += weight * static_cast<double>(dy[from * g.channels + c]);
          }
        }
      }
      store(dx[p * g.channels + c], static_cast<compute_t<T>>(sum), mode);
    }
  }
};

}  // namespace detail

namespace op {

struct resize {
  static constexpr const char* name = "resize";
  extents grid;  // the spatial extents of the result
  interpolation kind = interpolation::nearest;

  template <backend B, element T>
  using saved = extents;  // of x

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& x) const {
    const detail::resized_grid g = axes(x.shape());
    if (keep) *keep = x.shape();
    extents shape = x.shape();
    for (extent i = 0; i < grid.rank(); ++i) shape = shape.with(i + 1, grid[i]);
    tensor<B, T> y(x.device(), shape);
    if (y.size() != 0)
      x.device().for_each(y.size() / g.channels, work(g), detail::resized_position<T>{g, x.data(), y.data()});
    return y;
  }

  template <backend B, element T>
  void adjoint(const extents& shape, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const detail::resized_grid g = axes(shape);
    if (const auto d = dx.into(dy.device(), shape); d.data && shape.size() != 0)
      dy.device().for_each(shape.size() / g.channels, work(g),
                           detail::resized_position_adjoint<T>{g, dy.data(), d.data, d.mode});
  }

 private:
  static extent work(const detail::resized_grid& g) { return 32 * g.channels; }

  detail::resized_grid axes(const extents& x) const {
    const extent spatial = x.rank() - 2;
    if (spatial < 1 || spatial > 3) fail(name, ": x is ", x, ", expected (B, 1 to 3 spatial axes, C)");
    if (grid.rank() != spatial) fail(name, ": the grid is ", grid, ", x ", x, " has ", spatial, " spatial axes");
    detail::resized_grid g{{}, x[-1], kind};
    for (extent i = 0; i < spatial; ++i) {
      if (x[i + 1] < 1 || grid[i] < 1) fail(name, ": x is ", x, ", the grid ", grid, ", expected extents of at least 1");
      g.axis[3 - spatial + i] = {x[i + 1], grid[i]};
    }
    return g;
  }
};

}  // namespace op

// resize(x, {2 * H, 2 * W}, interpolation::nearest)
template <tensor_like X>
auto resize(const X& x, const extents& grid, interpolation kind) {
  return apply(op::resize{grid, kind}, x);
}

}  // namespace ul
