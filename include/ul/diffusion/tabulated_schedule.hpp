#pragma once

#include <concepts>
#include <vector>

#include <ul/core/checked.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

// Log-SNR given at equally spaced times from t = 0 to t = 1, linear in between.
struct tabulated_schedule {
  std::vector<double> levels;  // falling, at least two

  template <std::floating_point V>
  V logsnr(V t) const {
    const place p = locate(static_cast<double>(t));
    return static_cast<V>((1 - p.fraction) * levels[p.left] + p.fraction * levels[p.left + 1]);
  }
  template <std::floating_point V>
  V dlogsnr(V t) const {
    const place p = locate(static_cast<double>(t));
    return static_cast<V>((levels[p.left + 1] - levels[p.left]) * static_cast<double>(levels.size() - 1));
  }
  // Levels beyond the ends give 0 or 1.
  template <std::floating_point V>
  V time(V logsnr) const {
    locate(0);
    const double level = static_cast<double>(logsnr), last = static_cast<double>(levels.size() - 1);
    if (level >= levels.front()) return V{0};
    if (level <= levels.back()) return V{1};
    std::size_t low = 0, high = levels.size() - 1;
    while (high - low > 1) {
      const std::size_t middle = (low + high) / 2;
      (levels[middle] > level ? low : high) = middle;
    }
    const double within = (levels[low] - level) / (levels[low] - levels[high]);
    return static_cast<V>((static_cast<double>(low) + within) / last);
  }

 private:
  struct place {
    std::size_t left;
    double fraction;
  };
  place locate(double t) const {
    if (levels.size() < 2) fail("tabulated_schedule: ", levels.size(), " levels, expected at least 2");
    check_time("tabulated_schedule", t);
    const double last = static_cast<double>(levels.size() - 1), position = t * last;
    const auto left = static_cast<std::size_t>(minimum(position, last - 1));
    if (!(levels[left + 1] < levels[left]))
      fail("tabulated_schedule: level ", left + 1, " is ", levels[left + 1], ", expected below level ", left, ", ",
           levels[left]);
    return {left, position - static_cast<double>(left)};
  }
};

}  // namespace ul
