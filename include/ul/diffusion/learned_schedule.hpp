#pragma once

#include <vector>

#include <ul/core/checked.hpp>
#include <ul/diffusion/schedule.hpp>

namespace ul {

// A monotone schedule whose shape and end points are parameters:
//   lambda(t) = logsnr_max + (logsnr_min - logsnr_max) (g(t) - g(0)) / (g(1) - g(0)),
//   g(t) = e^p t + sum over k of e^v_k sigmoid(e^a_k (t - c_k)),
// with parameters (logsnr_max, logsnr_min, p, v_1, a_1, c_1, v_2, ...). The shape leaves the value of the
// continuous-time bound unchanged and sets the variance of its estimate; the end points change the bound.
// Source: Kingma et al., Variational Diffusion Models, arXiv 2107.00630, appendix H (there a network of 1024 units).
struct learned_schedule {
  std::vector<double> parameters = initial(10, -10, 8);

  // Linear in all but a few percent, `units` sigmoids spread over time.
  static std::vector<double> initial(double logsnr_max, double logsnr_min, extent units) {
    check_ends("learned_schedule", logsnr_max, logsnr_min);
    std::vector<double> p{logsnr_max, logsnr_min, 0.0};
    for (extent k = 0; k < units; ++k) {
      const double centre = (static_cast<double>(k) + 0.5) / static_cast<double>(units);
      p.insert(p.end(), {-3.0, 2.0, centre});
    }
    return p;
  }

  template <real V>
  V logsnr(V t) const {
    const curve<V> g = at(t);
    const V along = (g.value - constant<V>(origin())) * constant<V>(1 / range());
    return detail::pinned(t, parameters[0], parameters[1], constant<V>(parameters[0]) + along * constant<V>(span()));
  }
  template <real V>
  V dlogsnr(V t) const {
    return at(t).slope * constant<V>(span() / range());
  }
  template <real V>
  V time(V logsnr) const {
    return solve_time(*this, logsnr);
  }

  // The chain rule into the parameters: adds d_logsnr * d lambda(t)/d theta + d_dlogsnr * d lambda'(t)/d theta to
  // `gradient`, of as many elements, for a loss whose derivatives by lambda(t) and lambda'(t) are given.
  void add_gradient(double t, double d_logsnr, double d_dlogsnr, std::vector<double>& gradient) const {
    if (gradient.size() != parameters.size())
      fail("learned_schedule: the gradient has ", gradient.size(), " elements, the schedule ", parameters.size());
    const curve<double> g = at(t);
    const double r = range(), along = (g.value - origin()) / r, steep = g.slope / r;
    gradient[0] += d_logsnr * (1 - along) - d_dlogsnr * steep;
    gradient[1] += d_logsnr * along + d_dlogsnr * steep;

    // The derivatives of the loss by g(t), g'(t), g(1) and g(0).
    const double by_value = d_logsnr * span() / r, by_slope = d_dlogsnr * span() / r;
    const double by_one = -(by_value * along + by_slope * steep), by_zero = -by_value - by_one;
    const double tilt = exp(parameters[2]);
    gradient[2] += tilt * (by_value * t + by_slope + by_one);
    for (std::size_t k = 3; k < parameters.size(); k += 3) {
      const unit<double> here(&parameters[k], t), zero(&parameters[k], 0.0), one(&parameters[k], 1.0);
      const auto d = [&](auto value, auto slope) {
        return by_value * value(here) + by_slope * slope(here) + by_one * value(one) + by_zero * value(zero);
      };
      gradient[k] += d([](auto u) { return u.height * u.s; }, [](auto u) { return u.height * u.steepness * u.s1; });
      gradient[k + 1] += d([](auto u) { return u.height * u.s1 * u.z; },
                           [](auto u) { return u.height * u.steepness * (u.s1 + u.s2 * u.z); });
      gradient[k + 2] += d([](auto u) { return -u.height * u.steepness * u.s1; },
                           [](auto u) { return -u.height * u.steepness * u.steepness * u.s2; });
    }
  }

 private:
  template <class V>
  struct curve {
    V value, slope;
  };
  // One sigmoid at time t: its argument, value, and first two derivatives by the argument.
  template <class V>
  struct unit {
    unit(const double* p, V t) : height(exp(p[0])), steepness(exp(p[1])) {
      z = constant<V>(steepness) * (t - constant<V>(p[2]));
      s = sigmoid(z);
      s1 = s * sigmoid(-z);
      s2 = s1 * (constant<V>(1) - s - s);
    }
    double height, steepness;
    V z, s, s1, s2;
  };

  template <class V>
  curve<V> evaluate(V t) const {
    const V tilt = constant<V>(exp(parameters[2]));
    curve<V> g{tilt * t, tilt};
    for (std::size_t k = 3; k < parameters.size(); k += 3) {
      const unit<V> u(&parameters[k], t);
      g.value = g.value + constant<V>(u.height) * u.s;
      g.slope = g.slope + constant<V>(u.height * u.steepness) * u.s1;
    }
    return g;
  }
  template <class V>
  curve<V> at(V t) const {
    if (parameters.size() < 3 || parameters.size() % 3 != 0)
      fail("learned_schedule: ", parameters.size(), " parameters, expected 3 and 3 for each unit");
    check_ends("learned_schedule", parameters[0], parameters[1]);
    check_time("learned_schedule", t);
    return evaluate(t);
  }
  double span() const { return parameters[1] - parameters[0]; }
  double origin() const { return evaluate(0.0).value; }
  double range() const { return evaluate(1.0).value - evaluate(0.0).value; }
};

}  // namespace ul
