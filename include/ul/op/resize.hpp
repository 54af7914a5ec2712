#pragma once
// Interpolation of x (B, in..., C) with 1 to 3 spatial axes -> (B, out..., C). No smoothing before reductions.
//   nearest            output o takes input floor(o in / out)
//   bilinear           linear along each axis, samples at the middles of cells: input (o + 1/2) in / out - 1/2, held
//                      at the borders (`align_corners` false elsewhere)
//   bilinear_corners   linear along each axis, the first and last samples fall on each other: o (in - 1) / (out - 1)

#include <ul/op/channel_sum.hpp>
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
  // Outputs outside [begin(i), end(i)) do not look at input i.
  UL_HD extent begin(extent i, interpolation kind) const {
    if (kind == interpolation::nearest) return (i * out + in - 1) / in;
    const extent o = (i - 1) * (out - 1) / in - 1;
    return in == 1 || o < 0 ? 0 : o;
  }
  UL_HD extent end(extent i, interpolation kind) const {
    if (kind == interpolation::nearest) return ((i + 1) * out + in - 1) / in;
    const extent o = in == 1 ? out : (i + 2) * out / (in - 1) + 1;
    return o > out ? out : o;
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
    const T* from[8];
    compute_t<T> weight[8];
    int count = 0;
    for (int corner = 0; corner < 8; ++corner) {
      double w = 1;
      extent place = b;
      for (int i = 0; i < 3; ++i) {
        const bool second = (corner >> i & 1) != 0;
        w *= second ? m[i].weight : 1 - m[i].weight;
        place = place * a[i].in + (second ? m[i].second : m[i].first);
      }
      if (w != 0) from[count] = x + place * g.channels, weight[count++] = static_cast<compute_t<T>>(w);
    }
    for (extent c = 0; c < g.channels; c += channel_sum<T>::width) {
      channel_sum<T> sum;
      const extent run = sum.run(c, g.channels);
      for (int i = 0; i < count; ++i) sum.add(from[i] + c, run, weight[i]);
      sum.put(y + p * g.channels + c, run, store_mode::replace);
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
    const extent in[3] = {p / g.axis[2].in / g.axis[1].in % g.axis[0].in, p / g.axis[2].in % g.axis[1].in,
                          p % g.axis[2].in};
    const extent b = p / g.axis[2].in / g.axis[1].in / g.axis[0].in;
    for (extent c = 0; c < g.channels; c += channel_sum<T>::width) {
      channel_sum<T> sum;
      const extent run = sum.run(c, g.channels);
      gather(sum, b, in, c, run);
      sum.put(dx + p * g.channels + c, run, mode);
    }
  }

 private:
  UL_HD void gather(channel_sum<T>& sum, extent b, const extent (&in)[3], extent c, extent run) const {
    const resized_axis *d = g.axis, *h = d + 1, *w = d + 2;
    for (extent u = d->begin(in[0], g.kind); u < d->end(in[0], g.kind); ++u) {
      const double plane = d->share(in[0], u, g.kind);
      for (extent v = h->begin(in[1], g.kind); plane != 0 && v < h->end(in[1], g.kind); ++v) {
        const double row = plane * h->share(in[1], v, g.kind);
        for (extent k = w->begin(in[2], g.kind); row != 0 && k < w->end(in[2], g.kind); ++k) {
          const double weight = row * w->share(in[2], k, g.kind);
          const extent place = ((b * d->out + u) * h->out + v) * w->out + k;
          if (weight != 0) sum.add(dy + place * g.channels + c, run, static_cast<compute_t<T>>(weight));
        }
      }
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
  struct saved {
    extents shape;      // of x
    tensor<B, T> from;  // x, if smaller than the result
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& x) const {
    const detail::resized_grid g = axes(x.shape());
    extents shape = x.shape();
    for (extent i = 0; i < grid.rank(); ++i) shape = shape.with(i + 1, grid[i]);
    if (keep) *keep = {x.shape(), x.size() < shape.size() ? x : tensor<B, T>()};
    tensor<B, T> y(x.device(), shape);
    if (y.size() != 0)
      x.device().for_each(y.size() / g.channels, work(g), detail::resized_position<T>{g, x.data(), y.data()});
    return y;
  }

  template <backend B, element T>
  bool repeats_cheaply(const saved<B, T>& kept) const {
    return static_cast<bool>(kept.from);
  }
  template <backend B, element T>
  tensor<B, T> again(const saved<B, T>& kept) const {
    return forward(static_cast<saved<B, T>*>(nullptr), kept.from);
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const extents& shape = kept.shape;
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
      if (x[i + 1] < 1 || grid[i] < 1)
        fail(name, ": x is ", x, ", the grid ", grid, ", expected extents of at least 1");
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
