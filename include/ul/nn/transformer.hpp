#pragma once
// A stack of transformer blocks over the tokens of a grid.

#include <vector>

#include <ul/nn/positions.hpp>
#include <ul/nn/transformer_block.hpp>
#include <ul/op/reshape.hpp>

namespace ul::nn {

struct transformer_options {
  transformer_block_options block = {};  // of every block
  extent depth = 1;
  position positions = position::none;
  extents grid = {};  // of the tokens; not needed without positions
};

// x (B, N, channels) or a feature map (B, grid..., channels) -> the same extents.
// Parameters: positions/weight (N, channels) when learned; 0/..., 1/..., and so on, as of transformer_block.
template <backend B, element T>
class transformer {
 public:
  using condition_type = condition<B, T>;

  transformer(const scope<B, T>& s, const transformer_options& o)
      : positions_(s / "positions",
                   {.kind = o.positions, .grid = o.grid, .features = o.block.channels, .heads = o.block.heads}) {
    for (extent i = 0; i < o.depth; ++i) blocks_.emplace_back(s / i, o.block);
  }

  var<B, T> operator()(const var<B, T>& x, const condition<B, T>& c = {}) const {
    const extents& shape = x.shape();
    if (shape.rank() < 3) fail("transformer: x is ", shape, ", expected (B, N, C) or (B, grid..., C)");
    var<B, T> h = reshape(x, {shape[0], shape.product(1, shape.rank() - 1), shape[-1]});
    h = positions_(h);
    for (const auto& block : blocks_) h = block(h, c, positions_.angles());
    return reshape(h, shape);
  }

 private:
  positions<B, T> positions_;
  std::vector<transformer_block<B, T>> blocks_;
};

}  // namespace ul::nn
