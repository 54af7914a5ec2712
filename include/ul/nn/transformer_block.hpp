#pragma once
// The transformer block: attention, perhaps attention to a context, and an MLP, each normed before and added after.
// With an embedding it is modulated by it (adaLN). Peebles and Xie 2023, section 3.2.

#include <ul/nn/attention.hpp>
#include <ul/nn/condition.hpp>
#include <ul/nn/mlp.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/gated_add.hpp>

namespace ul::nn {

struct transformer_block_options {
  extent channels = 0;
  extent heads = 1;
  extent embedding = 0;  // features of the condition's embedding; 0: no modulation, and norms with gain and offset
  extent context = 0;    // features of the condition's context; 0: none
  extent hidden = 0;     // of the MLP; 0: 4 channels
  mlp_kind mlp = mlp_kind::gelu;
  bool qkv_bias = true;
  bool qk_norm = false;
  double eps = 1e-5;
  double dropout = 0;  // of what attention adds, and of the MLP's hidden features
  // zero: the block starts as the identity, by a modulation of zero, gates included (adaLN-Zero), or, without an
  // embedding, by the last layers of its branches.
  initial start = initial::standard;
};

// x (B, N, channels) -> (B, N, channels). With shift1 | scale1 | gate1 | shift2 | scale2 | gate2 =
// modulation(embedding):
//   x += gate1 * attention(norm(x) * (1 + scale1) + shift1);  x += gate2 * mlp(norm(x) * (1 + scale2) + shift2)
// and between the two, with a context, x += cross(cross_norm(x), context).
// Parameters: modulation/weight (embedding, 6 channels), modulation/bias, or norm1/weight, norm1/bias, norm2/weight,
// norm2/bias without an embedding; attention/...; cross_norm/weight, cross_norm/bias, cross/... with a context; mlp/...
template <backend B, element T>
class transformer_block {
 public:
  using condition_type = condition<B, T>;

  transformer_block(const scope<B, T>& s, const transformer_block_options& o) : options_(o) {
    if (o.embedding != 0) {
      modulation_.emplace(s / "modulation", o.embedding, checked_mul(6, o.channels, "transformer_block"),
                          linear_options{.start = o.start});
    } else {
      norm1_.emplace(s / "norm1", o.channels, o.eps);
      norm2_.emplace(s / "norm2", o.channels, o.eps);
    }
    const initial last = o.embedding != 0 ? initial::standard : o.start;
    attention_options look{
        .channels = o.channels, .heads = o.heads, .qkv_bias = o.qkv_bias, .qk_norm = o.qk_norm, .out = last};
    attention_.emplace(s / "attention", look);
    if (o.context != 0) {
      look.context = o.context;
      look.out = o.start;
      cross_norm_.emplace(s / "cross_norm", o.channels, o.eps);
      cross_.emplace(s / "cross", look);
    }
    mlp_.emplace(
        s / "mlp",
        mlp_options{.channels = o.channels, .hidden = o.hidden, .kind = o.mlp, .dropout = o.dropout, .out = last});
  }

  // `angles` (N, channels / heads / 2): rotary positions, or none.
  var<B, T> operator()(const var<B, T>& x, const condition<B, T>& c = {},
                       const tensor<B, compute_t<T>>& angles = {}) const {
    return modulation_ ? modulated(x, c, angles) : plain(x, c, angles);
  }

 private:
  using angle_table = tensor<B, compute_t<T>>;

  var<B, T> modulated(const var<B, T>& x, const condition<B, T>& c, const angle_table& angles) const {
    if (!c.embedding) fail("transformer_block: no embedding given, expected (B, ", options_.embedding, ")");
    const auto m = split((*modulation_)(detail::beside(x, c.embedding)), -1, 6);
    const var<B, T> seen = attended(modulated_norm(x, m[1], m[0], {.eps = options_.eps}), c, angles);
    const var<B, T> h = crossed(gated_add(x, m[2], seen), c);
    return gated_add(h, m[5], (*mlp_)(modulated_norm(h, m[4], m[3], {.eps = options_.eps}), c.dropout));
  }

  var<B, T> plain(const var<B, T>& x, const condition<B, T>& c, const angle_table& angles) const {
    const var<B, T> h = crossed(add(x, attended((*norm1_)(x), c, angles)), c);
    return add(h, (*mlp_)((*norm2_)(h), c.dropout));
  }

  var<B, T> attended(const var<B, T>& x, const condition<B, T>& c, const angle_table& angles) const {
    return dropped((*attention_)(x, angles), attention_->place(), options_.dropout, c.dropout);
  }

  var<B, T> crossed(const var<B, T>& x, const condition<B, T>& c) const {
    if (!cross_) return x;
    return add(x, dropped((*cross_)((*cross_norm_)(x), c.context), cross_->place(), options_.dropout, c.dropout));
  }

  transformer_block_options options_;
  std::optional<linear<B, T>> modulation_;
  std::optional<layer_norm<B, T>> norm1_, norm2_, cross_norm_;
  std::optional<attention<B, T>> attention_, cross_;
  std::optional<mlp<B, T>> mlp_;
};

}  // namespace ul::nn
