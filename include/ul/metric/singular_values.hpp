#pragma once
// Singular values of a dense matrix, to full relative precision of the largest.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ul/core/checked.hpp>

namespace ul {

namespace detail {

// Eight sums side by side, so that the compiler may use vectors.
inline double row_product(const double* x, const double* y, extent n) {
  double lane[8] = {}, rest = 0;
  extent i = 0;
  for (; i + 8 <= n; i += 8)
    for (extent k = 0; k < 8; ++k) lane[k] += x[i + k] * y[i + k];
  for (; i < n; ++i) rest += x[i] * y[i];
  return rest + ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// x = c x - s y, y = s x + c y.
inline void rotate_rows(double* x, double* y, extent n, double c, double s) {
  for (extent i = 0; i < n; ++i) {
    const double u = x[i], v = y[i];
    x[i] = c * u - s * v;
    y[i] = s * u + c * v;
  }
}

}  // namespace detail

// The singular values of a (rows, columns), row-major, in no order; of those that are zero, no more than their rounding
// is given. Rows are rotated in pairs until all are orthogonal. One per row.
// Throws ul::error when the number of elements is not rows * columns, or they do not converge, as with NaN.
// Source: Hestenes, J. SIAM 6 (1958) 51; Golub and Van Loan, Matrix Computations, section 8.6.3.
inline std::vector<double> singular_values(std::vector<double> a, extent rows, extent columns) {
  if (static_cast<extent>(a.size()) != checked_mul(rows, columns, "singular_values"))
    fail("singular_values: ", a.size(), " elements, expected (", rows, ", ", columns, ")");
  constexpr double eps = std::numeric_limits<double>::epsilon();
  const auto row = [&](extent i) { return a.data() + i * columns; };
  std::vector<double> squares(static_cast<std::size_t>(rows));
  for (int sweep = 0; sweep < 60; ++sweep) {
    double largest = 0;
    for (extent i = 0; i < rows; ++i) {
      double& square = squares[static_cast<std::size_t>(i)];
      square = detail::row_product(row(i), row(i), columns);
      largest = (std::max)(largest, square);
    }
    const double zero = largest * eps * eps;
    bool orthogonal = true;
    for (extent i = 0; i < rows; ++i) {
      for (extent j = i + 1; j < rows; ++j) {
        double &x = squares[static_cast<std::size_t>(i)], &y = squares[static_cast<std::size_t>(j)];
        if (x <= zero || y <= zero) continue;
        const double xy = detail::row_product(row(i), row(j), columns);
        if (std::abs(xy) <= 16 * eps * std::sqrt(x * y)) continue;
        orthogonal = false;
        const double cot = (y - x) / (2 * xy), t = std::copysign(1 / (std::abs(cot) + std::hypot(1, cot)), cot);
        const double c = 1 / std::hypot(1, t);
        detail::rotate_rows(row(i), row(j), columns, c, c * t);
        x -= t * xy;
        y += t * xy;
      }
    }
    if (!orthogonal) continue;
    for (double& square : squares) square = std::sqrt(square);
    return squares;
  }
  fail("singular_values: no convergence for (", rows, ", ", columns, ")");
}

}  // namespace ul
