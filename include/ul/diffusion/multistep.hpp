#pragma once

#include <vector>

#include <ul/diffusion/quadrature.hpp>
#include <ul/diffusion/sampler.hpp>

namespace ul {

// How a multistep sampler begun in the middle of a grid treats the steps it has not seen: at order 1 with an empty
// history; or, as some published code does, with the coefficients of a full history whose missing terms are left out.
enum class multistep_restart { first_order, published };

namespace detail {

// The integral from a to b of density(u) times the k-th Lagrange basis polynomial on the nodes.
template <class Density>
double lagrange_integral(const std::vector<double>& nodes, std::size_t k, double a, double b, Density density) {
  return integrate(
      [&](double u) {
        double value = density(u);
        for (std::size_t j = 0; j < nodes.size(); ++j)
          if (j != k) value *= (u - nodes[j]) / (nodes[k] - nodes[j]);
        return value;
      },
      a, b, 4);
}

// The last few eps^ and their levels, newest first. A level visited again replaces itself: nodes must differ.
template <class State>
struct eps_history {
  std::vector<State> eps;
  std::vector<double> levels;

  void push(State newest, double level, extent order) {
    if (!levels.empty() && levels.front() == level) {
      eps.front() = std::move(newest);
      return;
    }
    eps.insert(eps.begin(), std::move(newest));
    levels.insert(levels.begin(), level);
    if (static_cast<extent>(eps.size()) > order) {
      eps.pop_back();
      levels.pop_back();
    }
  }
};

// alpha_s (x_t / alpha_t + sum over k of weight_k eps_k).
template <class State>
State multistep_move(const State& x, double t, double s, const std::vector<double>& weights,
                     const std::vector<State>& eps) {
  State sum = combine(alpha(s) / alpha(t), x, alpha(s) * weights[0], eps[0]);
  for (std::size_t k = 1; k < weights.size() && k < eps.size(); ++k)
    sum = combine(1.0, sum, alpha(s) * weights[k], eps[k]);
  return sum;
}

}  // namespace detail
}  // namespace ul
