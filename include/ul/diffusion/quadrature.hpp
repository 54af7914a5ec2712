#pragma once

#include <ul/core/checked.hpp>

namespace ul {

// The integral of f from a to b by the 8-point Gauss-Legendre rule on `panels` equal parts: exact to rounding for
// polynomials of degree 15 on each. Throws ul::error for fewer than one panel.
template <class F>
double integrate(F&& f, double a, double b, extent panels = 1) {
  constexpr double node[] = {0.18343464249564980, 0.52553240991632899, 0.79666647741362674, 0.96028985649753623};
  constexpr double weight[] = {0.36268378337836198, 0.31370664587788729, 0.22238103445337447, 0.10122853629037626};
  if (panels < 1) fail("integrate: ", panels, " panels, expected at least 1");
  const double half = (b - a) / (2 * static_cast<double>(panels));
  double sum = 0;
  for (extent i = 0; i < panels; ++i) {
    const double centre = a + half * static_cast<double>(2 * i + 1);
    for (int k = 0; k < 4; ++k) sum += weight[k] * (f(centre - half * node[k]) + f(centre + half * node[k]));
  }
  return sum * half;
}

}  // namespace ul
