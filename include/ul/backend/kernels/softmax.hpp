#pragma once
// Softmax of each row. x, y, dy, dx (rows, columns).

#include <cmath>

#include <ul/backend/concept.hpp>

namespace ul {

namespace detail {

template <class T>
struct softmax_row {
  extent columns;
  const T* x;
  T* y;

  UL_HD void operator()(extent row) const {
    const T* from = x + row * columns;
    double top = -INFINITY, sum = 0;
    for (extent c = 0; c < columns; ++c)
      top = static_cast<double>(from[c]) > top ? static_cast<double>(from[c]) : top;
    for (extent c = 0; c < columns; ++c) sum += std::exp(static_cast<double>(from[c]) - top);
    for (extent c = 0; c < columns; ++c)
      y[row * columns + c] =
          static_cast<T>(static_cast<compute_t<T>>(std::exp(static_cast<double>(from[c]) - top) / sum));
  }
};

template <class T>
struct softmax_row_adjoint {
  extent columns;
  const T *y, *dy;
  T* dx;
  store_mode mode;

  UL_HD void operator()(extent row) const {
    const extent first = row * columns, last = first + columns;
    double inner = 0;
    for (extent i = first; i < last; ++i) inner += static_cast<double>(y[i]) * static_cast<double>(dy[i]);
    for (extent i = first; i < last; ++i) {
      const double d = static_cast<double>(y[i]) * (static_cast<double>(dy[i]) - inner);
      const double old = mode == store_mode::add ? static_cast<double>(dx[i]) : 0.0;
      dx[i] = static_cast<T>(static_cast<compute_t<T>>(old + d));
    }
  }
};

}  // namespace detail

template <class T>
struct softmax_forward {
  extent rows = 0, columns = 0;
  const T* x = nullptr;
  T* y = nullptr;

  template <backend B>
  void composed(B& device) const {
    device.for_each(rows, 40 * columns, detail::softmax_row<T>{columns, x, y});
  }
};

// dx (=, +=) y (dy - <y, dy>).
template <class T>
struct softmax_backward {
  extent rows = 0, columns = 0;
  const T* y = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;
  store_mode mode = store_mode::replace;

  template <backend B>
  void composed(B& device) const {
    device.for_each(rows, 6 * columns, detail::softmax_row_adjoint<T>{columns, y, dy, dx, mode});
  }
};

}  // namespace ul
