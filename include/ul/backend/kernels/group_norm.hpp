#pragma once
// Group normalisation with an affine map and an optional activation: over all positions of one sample and one group of
// channels. x, y (batch, positions, channels); mean, rstd (batch, groups); weight, bias (channels), both may be null.

#include <cmath>

#include <ul/backend/concept.hpp>

namespace ul {

struct group_norm_shape {
  extent batch = 1, positions = 1, channels = 1, groups = 1;

  constexpr extent width() const { return channels / groups; }
  constexpr extent count() const { return positions * width(); }  // elements that share one mean
};

namespace detail {

template <class T>
struct group_statistics {
  group_norm_shape s;
  const T* x;
  compute_t<T>*mean, *rstd;
  double eps;

  UL_HD void operator()(extent i) const {
    const T* from = x + i / s.groups * s.positions * s.channels + i % s.groups * s.width();
    double sum = 0, squares = 0;
    for (extent p = 0; p < s.positions; ++p)
      for (extent c = 0; c < s.width(); ++c) sum += static_cast<double>(from[p * s.channels + c]);
    const double m = sum / static_cast<double>(s.count());
    for (extent p = 0; p < s.positions; ++p)
      for (extent c = 0; c < s.width(); ++c) {
        const double d = static_cast<double>(from[p * s.channels + c]) - m;
        squares += d * d;
      }
    mean[i] = static_cast<compute_t<T>>(m);
    rstd[i] = static_cast<compute_t<T>>(1 / std::sqrt(squares / static_cast<double>(s.count()) + eps));
  }
};

// What both passes need of element (sample b, channel c): its normalised value and the input of the activation.
template <class T>
struct group_norm_element {
  group_norm_shape s;
  const compute_t<T>*mean, *rstd;
  const T *weight, *bias;

  UL_HD extent group(extent b, extent c) const { return b * s.groups + c / s.width(); }
  UL_HD compute_t<T> gain(extent c) const { return weight ? static_cast<compute_t<T>>(weight[c]) : 1; }
  UL_HD compute_t<T> normalised(T x, extent b, extent c) const {
    return (static_cast<compute_t<T>>(x) - mean[group(b, c)]) * rstd[group(b, c)];
  }
  UL_HD compute_t<T> affine(compute_t<T> n, extent c) const {
    return n * gain(c) + (bias ? static_cast<compute_t<T>>(bias[c]) : 0);
  }
};

template <class T>
struct group_norm_row {
  group_norm_element<T> e;
  const T* x;
  T* y;
  activation act;

  UL_HD void operator()(extent row) const {
    const extent b = row / e.s.positions;
    for (extent c = 0, i = row * e.s.channels; c < e.s.channels; ++c, ++i)
      y[i] = static_cast<T>(activate(act, e.affine(e.normalised(x[i], b, c), c)));
  }
};

// sums[b, c] = (sum of dz, sum of dz * normalised) over positions, where dz is the gradient before the activation.
template <class T>
struct group_norm_sums {
  group_norm_element<T> e;
  const T *x, *dy;
  activation act;
  compute_t<T>* sums;

  UL_HD void operator()(extent i) const {
    const extent b = i / e.s.channels, c = i % e.s.channels;
    double plain = 0, weighted = 0;
    for (extent p = 0; p < e.s.positions; ++p) {
      const extent at = (b * e.s.positions + p) * e.s.channels + c;
      const compute_t<T> n = e.normalised(x[at], b, c);
      const compute_t<T> dz = static_cast<compute_t<T>>(dy[at]) * activate_derivative(act, e.affine(n, c));
      plain += static_cast<double>(dz);
      weighted += static_cast<double>(dz * n);
    }
    sums[2 * i] = static_cast<compute_t<T>>(plain);
    sums[2 * i + 1] = static_cast<compute_t<T>>(weighted);
  }
};

template <class T>
struct group_norm_affine {
  group_norm_shape s;
  const compute_t<T>* sums;
  master_t<T>*dweight, *dbias;

  UL_HD void operator()(extent c) const {
    double plain = 0, weighted = 0;
    for (extent b = 0; b < s.batch; ++b) {
      plain += static_cast<double>(sums[2 * (b * s.channels + c)]);
      weighted += static_cast<double>(sums[2 * (b * s.channels + c) + 1]);
    }
    if (dbias) dbias[c] += static_cast<master_t<T>>(plain);
    if (dweight) dweight[c] += static_cast<master_t<T>>(weighted);
  }
};

template <class T>
struct group_norm_dx {
  group_norm_element<T> e;
  const T *x, *dy;
  activation act;
  const compute_t<T>* sums;
  T* dx;
  store_mode mode;

  // One (sample, group): dx = rstd (g - mean(g) - n mean(g n)) with g = gain * dz.
  UL_HD void operator()(extent i) const {
    const extent b = i / e.s.groups, first = i % e.s.groups * e.s.width();
    double plain = 0, weighted = 0;
    for (extent c = first; c < first + e.s.width(); ++c) {
      plain += static_cast<double>(e.gain(c) * sums[2 * (b * e.s.channels + c)]);
      weighted += static_cast<double>(e.gain(c) * sums[2 * (b * e.s.channels + c) + 1]);
    }
    const auto a = static_cast<compute_t<T>>(plain / static_cast<double>(e.s.count()));
    const auto w = static_cast<compute_t<T>>(weighted / static_cast<double>(e.s.count()));
    for (extent p = 0; p < e.s.positions; ++p)
      for (extent c = first; c < first + e.s.width(); ++c) {
        const extent at = (b * e.s.positions + p) * e.s.channels + c;
        const compute_t<T> n = e.normalised(x[at], b, c);
        const compute_t<T> dz = static_cast<compute_t<T>>(dy[at]) * activate_derivative(act, e.affine(n, c));
        const compute_t<T> d = e.rstd[i] * (e.gain(c) * dz - a - n * w);
        dx[at] = static_cast<T>(mode == store_mode::add ? static_cast<compute_t<T>>(dx[at]) + d : d);
      }
  }
};

}  // namespace detail

// y = act(normalised * weight + bias); also leaves mean and rstd for the backward pass.
template <class T>
struct group_norm_forward {
  group_norm_shape shape;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  T* y = nullptr;
  compute_t<T>* mean = nullptr;
  compute_t<T>* rstd = nullptr;
  double eps = 1e-5;
  activation act = activation::none;

  template <backend B>
  void composed(B& device) const {
    const group_norm_shape& s = shape;
    device.for_each(s.batch * s.groups, 4 * s.count(), detail::group_statistics<T>{s, x, mean, rstd, eps});
    device.for_each(s.batch * s.positions, 8 * s.channels,
                    detail::group_norm_row<T>{{s, mean, rstd, weight, bias}, x, y, act});
  }
};

// dx (=, +=), dweight +=, dbias +=; any of the three may be null.
template <class T>
struct group_norm_backward {
  group_norm_shape shape;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  const compute_t<T>* mean = nullptr;
  const compute_t<T>* rstd = nullptr;
  activation act = activation::none;
  const T* dy = nullptr;
  T* dx = nullptr;
  store_mode mode = store_mode::replace;
  master_t<T>* dweight = nullptr;
  master_t<T>* dbias = nullptr;

  template <backend B>
  void composed(B& device) const {
    const group_norm_shape& s = shape;
    const detail::group_norm_element<T> e{s, mean, rstd, weight, bias};
    scratch<B, compute_t<T>> sums(device, 2 * s.batch * s.channels);
    device.for_each(s.batch * s.channels, 16 * s.positions,
                    detail::group_norm_sums<T>{e, x, dy, act, sums.data()});
    if (dweight || dbias)
      device.for_each(s.channels, 4 * s.batch, detail::group_norm_affine<T>{s, sums.data(), dweight, dbias});
    if (dx)
      device.for_each(s.batch * s.groups, 16 * s.count(),
                      detail::group_norm_dx<T>{e, x, dy, act, sums.data(), dx, mode});
  }
};

}  // namespace ul
