#pragma once
// Where a token stands: what is added to tokens, or by what angles their queries and keys are rotated. Grids have one
// to three axes; their tokens are in row-major order.

#include <cmath>
#include <optional>
#include <vector>

#include <ul/grad/apply.hpp>
#include <ul/nn/sinusoidal.hpp>
#include <ul/op/arithmetic.hpp>

namespace ul::nn {

// none; learned: a table that starts normal of deviation 0.02; sinusoidal: fixed sines and cosines of each axis;
// rotary: by angles inside attention.
enum class position { none, learned, sinusoidal, rotary };

namespace detail {

// For each token of the grid, in order, f(axis, place along that axis) appended for every axis.
template <class F>
void for_each_place(const extents& grid, F f) {
  for (extent n = 0; n < grid.size(); ++n)
    for (extent axis = 0; axis < grid.rank(); ++axis) f(axis, n / grid.product(axis + 1, grid.rank()) % grid[axis]);
}

inline void check_axes(const char* what, const extents& grid, extent features, extent each) {
  if (grid.rank() < 1 || features < 1 || features % (each * grid.rank()) != 0)
    fail(what, ": ", features, " features do not divide over grid ", grid, ", expected a multiple of ",
         each * (grid.rank() < 1 ? 1 : grid.rank()));
}

}  // namespace detail

// (N, features): for each axis in turn features / axes numbers, half of them cosines and half sines of the place at
// geometric frequencies from 1 to 1 / 10000. features must be a multiple of twice the number of axes.
template <element T, backend B>
tensor<B, T> sinusoidal_positions(B& device, const extents& grid, extent features) {
  detail::check_axes("sinusoidal_positions", grid, features, 2);
  const extent half = features / grid.rank() / 2;
  const std::vector<double> w = geometric_frequencies(half, 10000);
  std::vector<T> table;
  table.reserve(static_cast<std::size_t>(checked_mul(grid.size(), features, "sinusoidal_positions")));
  detail::for_each_place(grid, [&](extent, extent place) {
    for (const double f : w)
      table.push_back(static_cast<T>(static_cast<compute_t<T>>(std::cos(static_cast<double>(place) * f))));
    for (const double f : w)
      table.push_back(static_cast<T>(static_cast<compute_t<T>>(std::sin(static_cast<double>(place) * f))));
  });
  return from_host<T>(device, {grid.size(), features}, table);
}

// (N, depth / 2): for each axis in turn depth / 2 / axes angles, the place times geometric frequencies from 1 to
// 1 / 10000. depth, of one head, must be a multiple of twice the number of axes. Su et al. 2021; on grids Heo et al.
// 2024.
template <element T, backend B>
tensor<B, T> rotary_angles(B& device, const extents& grid, extent depth) {
  detail::check_axes("rotary_angles", grid, depth, 2);
  const std::vector<double> w = geometric_frequencies(depth / 2 / grid.rank(), 10000);
  std::vector<T> table;
  table.reserve(static_cast<std::size_t>(checked_mul(grid.size(), depth / 2, "rotary_angles")));
  detail::for_each_place(grid, [&](extent, extent place) {
    for (const double f : w) table.push_back(static_cast<T>(static_cast<double>(place) * f));
  });
  return from_host<T>(device, {grid.size(), depth / 2}, table);
}

struct positions_options {
  position kind = position::none;
  extents grid = {};  // of the tokens
  extent features = 0;
  extent heads = 1;  // rotary: features / heads is the depth that is rotated
};

// The positions of one grid. Parameters: weight (N, features) when learned, else none.
template <backend B, element T>
class positions {
 public:
  positions(const scope<B, T>& s, const positions_options& o) : grid_(o.grid), kind_(o.kind) {
    switch (o.kind) {
      case position::learned:
        learned_ = s.declare("weight", {o.grid.size(), o.features}, normal_init(0.02));
        break;
      case position::sinusoidal:
        fixed_ = sinusoidal_positions<T>(s.device(), o.grid, o.features);
        break;
      case position::rotary:
        angles_ = rotary_angles<compute_t<T>>(s.device(), o.grid, o.features / o.heads);
        break;
      case position::none:
        break;
    }
  }

  // x (B, N, features) -> x with what is added to it. Throws ul::error when N is not the grid's.
  var<B, T> operator()(const var<B, T>& x) const {
    if (kind_ != position::none && x.shape()[1] != grid_.size())
      fail("positions: x is ", x.shape(), ", expected ", grid_.size(), " tokens of grid ", grid_);
    if (learned_) return add(x, learned_);
    return fixed_ ? add(x, fixed_) : x;
  }

  // What attention rotates by; no tensor unless rotary.
  const tensor<B, compute_t<T>>& angles() const { return angles_; }

 private:
  extents grid_;
  position kind_;
  param<B, T> learned_;
  tensor<B, T> fixed_;
  tensor<B, compute_t<T>> angles_;
};

}  // namespace ul::nn
