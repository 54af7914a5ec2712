#pragma once
// Learning rates as functions of the number of steps taken before. Each rises linearly over the first `warm_up` steps,
// the first of which already moves, and then follows its own course.

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ul/core/checked.hpp>

namespace ul {

namespace detail {

// (step + 1) / warm_up up to 1.
inline double warmed(extent step, extent warm_up) {
  return step < warm_up ? static_cast<double>(step + 1) / static_cast<double>(warm_up) : 1;
}

// How far `step` is on the way from `first` to `last`, in [0, 1].
inline double progress(extent step, extent first, extent last) {
  if (step >= last) return 1;
  return step <= first ? 0 : static_cast<double>(step - first) / static_cast<double>(last - first);
}

}  // namespace detail

struct constant_rate {
  double peak = 1e-3;
  extent warm_up = 0;
  double operator()(extent step) const { return peak * detail::warmed(step, warm_up); }
};

// Half a cosine from `peak` after the warm-up to `end` at step `steps` and beyond. Loshchilov & Hutter 2017.
struct cosine_rate {
  double peak = 1e-3, end = 0;
  extent warm_up = 0, steps = 1;
  double operator()(extent step) const {
    if (step < warm_up) return peak * detail::warmed(step, warm_up);
    const double c = std::cos(std::numbers::pi * detail::progress(step, warm_up, steps));
    return end + (peak - end) * 0.5 * (1 + c);
  }
};

// Constant up to step `from`, then peak sqrt(from / step). Karras et al. 2024, appendix B.
struct inverse_sqrt_rate {
  double peak = 1e-3;
  extent warm_up = 0, from = 1;
  double operator()(extent step) const {
    const double late = (std::max)(static_cast<double>(step) / static_cast<double>((std::max)(from, extent{1})), 1.);
    return peak * detail::warmed(step, warm_up) / std::sqrt(late);
  }
};

// Constant up to step `from`, then a straight line to `end` at step `steps` and beyond.
struct linear_rate {
  double peak = 1e-3, end = 0;
  extent warm_up = 0, from = 0, steps = 1;
  double operator()(extent step) const {
    return (peak + (end - peak) * detail::progress(step, from, steps)) * detail::warmed(step, warm_up);
  }
};

}  // namespace ul
