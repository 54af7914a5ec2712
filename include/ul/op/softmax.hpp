#pragma once
// Probabilities, and their logarithms, over the last axis: x (..., K) -> the same extents.

#include <ul/backend/kernels/softmax.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// log of the sum of exponentials of a row
template <class T>
UL_HD double log_sum_exp(const T* x, extent count) {
  double top = -INFINITY, sum = 0;
  for (extent i = 0; i < count; ++i) top = static_cast<double>(x[i]) > top ? static_cast<double>(x[i]) : top;
  for (extent i = 0; i < count; ++i) sum += std::exp(static_cast<double>(x[i]) - top);
  return top + std::log(sum);
}

template <class T>
struct log_softmax_row {
  extent count;
  const T* x;
  T* y;
  UL_HD void operator()(extent row) const {
    const double log_sum = log_sum_exp(x + row * count, count);
    for (extent i = row * count; i < (row + 1) * count; ++i)
      y[i] = static_cast<T>(static_cast<compute_t<T>>(static_cast<double>(x[i]) - log_sum));
  }
};
template <class T>
struct log_softmax_row_adjoint {
  extent count;
  const T *y, *dy;
  T* dx;
  store_mode mode;
  UL_HD void operator()(extent row) const {
    double total = 0;
    for (extent i = row * count; i < (row + 1) * count; ++i) total += static_cast<double>(dy[i]);
    for (extent i = row * count; i < (row + 1) * count; ++i) {
      const double d = static_cast<double>(dy[i]) - std::exp(static_cast<double>(y[i])) * total;
      store(dx[i], static_cast<compute_t<T>>(d), mode);
    }
  }
};

template <backend B, element T>
extent columns_of(const char* name, const tensor<B, T>& x) {
  if (x.rank() < 1) fail(name, ": x is ", x.shape(), ", expected (..., K)");
  return x.shape()[-1];
}

}  // namespace detail

namespace op {

struct softmax {
  static constexpr const char* name = "softmax";
  template <backend B, element T>
  using saved = tensor<B, T>;  // y

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    const extent K = detail::columns_of(name, x);
    const tensor<B, T> y(x.device(), x.shape());
    if (y.size() != 0)
      launch(x.device(), softmax_forward<T>{.rows = x.size() / K, .columns = K, .x = x.data(), .y = y.data()});
    if (keep) *keep = y;
    return y;
  }

  template <backend B, element T>
  void adjoint(const tensor<B, T>& y, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    if (const auto d = dx.into(dy.device(), dy.shape()); d.data && dy.size() != 0)
      launch(dy.device(), softmax_backward<T>{.rows = y.size() / y.shape()[-1],
                                              .columns = y.shape()[-1],
                                              .y = y.data(),
                                              .dy = dy.data(),
                                              .dx = d.data,
                                              .mode = d.mode});
  }
};

struct log_softmax {
  static constexpr const char* name = "log_softmax";
  template <backend B, element T>
  using saved = tensor<B, T>;  // y

  template <backend B, element T>
  tensor<B, T> forward(tensor<B, T>* keep, const tensor<B, T>& x) const {
    const extent K = detail::columns_of(name, x);
    const tensor<B, T> y(x.device(), x.shape());
    if (y.size() != 0) x.device().for_each(x.size() / K, 20 * K, detail::log_softmax_row<T>{K, x.data(), y.data()});
    if (keep) *keep = y;
    return y;
  }

  template <backend B, element T>
  void adjoint(const tensor<B, T>& y, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    const auto d = dx.into(dy.device(), dy.shape());
    if (d.data == nullptr || dy.size() == 0) return;
    const extent K = y.shape()[-1];
    dy.device().for_each(y.size() / K, 20 * K,
                         detail::log_softmax_row_adjoint<T>{K, y.data(), dy.data(), d.data, d.mode});
  }
};

}  // namespace op

template <tensor_like X>
auto softmax(const X& x) {
  return apply(op::softmax{}, x);
}
template <tensor_like X>
auto log_softmax(const X& x) {
  return apply(op::log_softmax{}, x);
}

}  // namespace ul
