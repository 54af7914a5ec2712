#pragma once
// Normalisation of each row by itself (layer norm, or RMS norm when it is not centred), an affine map, and a modulation
// for each sample (adaLN): y = (normalised * weight + bias) * (1 + scale) + shift.
//   x, y (samples, rows, channels); mean, rstd (samples, rows); weight, bias (channels);
//   scale, shift, dscale, dshift: (samples, channels), samples `modulation_stride` apart. All four vectors may be null.

#include <cmath>

#include <ul/backend/concept.hpp>

namespace ul {

enum class centring { mean, none };  // layer norm, RMS norm

struct row_norm_shape {
  extent samples = 1, rows = 1, channels = 1;
  centring centre = centring::mean;
  extent modulation_stride = 0;
};

namespace detail {

template <class T>
struct row_norm_element {
  using V = compute_t<T>;
  row_norm_shape s;
  const T *weight, *bias, *scale, *shift;

  UL_HD V gain(extent c) const { return weight ? static_cast<V>(weight[c]) : 1; }
  UL_HD V offset(extent c) const { return bias ? static_cast<V>(bias[c]) : 0; }
  UL_HD V factor(extent b, extent c) const {
    return scale ? 1 + static_cast<V>(scale[b * s.modulation_stride + c]) : V{1};
  }
  UL_HD V result(V n, extent b, extent c) const {
    const V affine = (n * gain(c) + offset(c)) * factor(b, c);
    return shift ? affine + static_cast<V>(shift[b * s.modulation_stride + c]) : affine;
  }
};

template <class T>
struct row_norm_row {
  row_norm_element<T> e;
  const T* x;
  T* y;
  compute_t<T>*mean, *rstd;
  double eps;

  UL_HD void operator()(extent row) const {
    const extent C = e.s.channels, b = row / e.s.rows;
    const T* from = x + row * C;
    double m = 0, squares = 0;
    if (e.s.centre == centring::mean) {
      for (extent c = 0; c < C; ++c) m += static_cast<double>(from[c]);
      m /= static_cast<double>(C);
    }
    for (extent c = 0; c < C; ++c) {
      const double d = static_cast<double>(from[c]) - m;
      squares += d * d;
    }
    mean[row] = static_cast<compute_t<T>>(m);
    rstd[row] = static_cast<compute_t<T>>(1 / std::sqrt(squares / static_cast<double>(C) + eps));
    for (extent c = 0; c < C; ++c)
      y[row * C + c] = static_cast<T>(e.result((static_cast<compute_t<T>>(from[c]) - mean[row]) * rstd[row], b, c));
  }
};

// dx = rstd (g - mean(g) - n mean(g n)) with g = dy * factor * gain; RMS norm has no mean(g).
template <class T>
struct row_norm_dx {
  row_norm_element<T> e;
  const T *x, *dy;
  const compute_t<T>*mean, *rstd;
  T* dx;
  store_mode mode;

  UL_HD void operator()(extent row) const {
    using V = compute_t<T>;
    const extent C = e.s.channels, b = row / e.s.rows, at = row * C;
    const auto n = [&](extent c) { return (static_cast<V>(x[at + c]) - mean[row]) * rstd[row]; };
    const auto g = [&](extent c) { return static_cast<V>(dy[at + c]) * e.factor(b, c) * e.gain(c); };
    double plain = 0, weighted = 0;
    for (extent c = 0; c < C; ++c) {
      plain += static_cast<double>(g(c));
      weighted += static_cast<double>(g(c) * n(c));
    }
    const V a = e.s.centre == centring::mean ? static_cast<V>(plain / static_cast<double>(C)) : V{0};
    const V w = static_cast<V>(weighted / static_cast<double>(C));
    for (extent c = 0; c < C; ++c) {
      const V d = rstd[row] * (g(c) - a - n(c) * w);
      dx[at + c] = static_cast<T>(mode == store_mode::add ? static_cast<V>(dx[at + c]) + d : d);
    }
  }
};

// sums[b, c] = (sum of dy, sum of dy * normalised) over the rows of a sample; dscale and dshift follow from them.
template <class T>
struct row_norm_sums {
  row_norm_element<T> e;
  const T *x, *dy;
  const compute_t<T>*mean, *rstd;
  compute_t<T>* sums;
  T *dscale, *dshift;

  UL_HD void operator()(extent i) const {
    using V = compute_t<T>;
    const extent C = e.s.channels, b = i / C, c = i % C;
    double plain = 0, weighted = 0;
    for (extent row = b * e.s.rows; row < (b + 1) * e.s.rows; ++row) {
      const double d = static_cast<double>(dy[row * C + c]);
      plain += d;
      weighted += d * static_cast<double>((static_cast<V>(x[row * C + c]) - mean[row]) * rstd[row]);
    }
    sums[2 * i] = static_cast<V>(plain);
    sums[2 * i + 1] = static_cast<V>(weighted);
    const extent to = b * e.s.modulation_stride + c;
    if (dscale) dscale[to] = static_cast<T>(e.gain(c) * sums[2 * i + 1] + e.offset(c) * sums[2 * i]);
    if (dshift) dshift[to] = static_cast<T>(sums[2 * i]);
  }
};

template <class T>
struct row_norm_affine {
  row_norm_element<T> e;
  const compute_t<T>* sums;
  master_t<T>*dweight, *dbias;

  UL_HD void operator()(extent c) const {
    double plain = 0, weighted = 0;
    for (extent b = 0; b < e.s.samples; ++b) {
      const double f = static_cast<double>(e.factor(b, c));
      plain += f * static_cast<double>(sums[2 * (b * e.s.channels + c)]);
      weighted += f * static_cast<double>(sums[2 * (b * e.s.channels + c) + 1]);
    }
    if (dbias) dbias[c] += static_cast<master_t<T>>(plain);
    if (dweight) dweight[c] += static_cast<master_t<T>>(weighted);
  }
};

}  // namespace detail

// Also leaves mean (zero for RMS norm) and rstd for the backward pass.
template <class T>
struct row_norm_forward {
  row_norm_shape shape;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  const T* scale = nullptr;
  const T* shift = nullptr;
  T* y = nullptr;
  compute_t<T>* mean = nullptr;
  compute_t<T>* rstd = nullptr;
  double eps = 1e-6;

  template <backend B>
  void composed(B& device) const {
    device.for_each(shape.samples * shape.rows, 12 * shape.channels,
                    detail::row_norm_row<T>{{shape, weight, bias, scale, shift}, x, y, mean, rstd, eps});
  }
};

// dx (=, +=), dweight +=, dbias +=, dscale =, dshift =; any of the five may be null.
template <class T>
struct row_norm_backward {
  row_norm_shape shape;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* bias = nullptr;
  const T* scale = nullptr;
  const compute_t<T>* mean = nullptr;
  const compute_t<T>* rstd = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;
  store_mode mode = store_mode::replace;
  master_t<T>* dweight = nullptr;
  master_t<T>* dbias = nullptr;
  T* dscale = nullptr;
  T* dshift = nullptr;

  template <backend B>
  void composed(B& device) const {
    const extent rows = shape.samples * shape.rows, columns = shape.samples * shape.channels;
    const detail::row_norm_element<T> e{shape, weight, bias, scale, nullptr};
    if (dx) device.for_each(rows, 16 * shape.channels, detail::row_norm_dx<T>{e, x, dy, mean, rstd, dx, mode});
    if (!dweight && !dbias && !dscale && !dshift) return;
    scratch<B, compute_t<T>> sums(device, 2 * columns);
    device.for_each(columns, 4 * shape.rows,
                    detail::row_norm_sums<T>{e, x, dy, mean, rstd, sums.data(), dscale, dshift});
    if (dweight || dbias)
      device.for_each(shape.channels, 4 * shape.samples,
                      detail::row_norm_affine<T>{e, sums.data(), dweight, dbias});
  }
};

}  // namespace ul
