#pragma once
// Multi-head attention as a block: of tokens to themselves, or to the tokens of a context. Vaswani et al. 2017.

#include <optional>

#include <ul/nn/condition.hpp>
#include <ul/nn/linear.hpp>
#include <ul/nn/norm.hpp>
#include <ul/op/attention.hpp>
#include <ul/op/reshape.hpp>
#include <ul/op/rope.hpp>
#include <ul/op/slice.hpp>

namespace ul::nn {

struct attention_options {
  extent channels = 0;  // of x and of the result
  extent heads = 1;
  extent context = 0;  // features of the context's tokens; 0: the tokens of x look at each other
  bool qkv_bias = true;
  bool qk_norm = false;  // RMS-normed queries and keys, each head by itself with one gain. Dehghani et al. 2023
  initial out = initial::standard;
};

// x (B, N, channels), context (B, M, context) -> (B, N, channels).
// Parameters: without a context qkv/weight (channels, 3 channels), columns q | k | v, and qkv/bias; with one q/weight,
// q/bias, kv/weight (context, 2 channels), columns k | v, and kv/bias; then q_norm/weight and k_norm/weight
// (channels / heads) if normed; out/weight, out/bias.
template <backend B, element T>
class attention {
 public:
  attention(const scope<B, T>& s, const attention_options& o) : options_(o) {
    if (o.heads < 1 || o.channels % o.heads != 0)
      fail("attention: ", o.channels, " channels do not divide into ", o.heads, " heads");
    const linear_options projection{.bias = o.qkv_bias};
    if (o.context == 0) {
      q_.emplace(s / "qkv", o.channels, 3 * o.channels, projection);
    } else {
      q_.emplace(s / "q", o.channels, o.channels, projection);
      kv_.emplace(s / "kv", o.context, 2 * o.channels, projection);
    }
    if (o.qk_norm) {
      q_norm_.emplace(s / "q_norm", o.channels / o.heads);
      k_norm_.emplace(s / "k_norm", o.channels / o.heads);
    }
    out_.emplace(s / "out", o.channels, o.channels, linear_options{.start = o.out});
  }

  // Tokens that look at each other. `angles` (N, channels / heads / 2): the rotation of each token's queries and keys,
  // or none (see rotary_angles).
  var<B, T> operator()(const var<B, T>& x, const tensor<B, compute_t<T>>& angles = {}) const {
    if (kv_) fail("attention: no context given, expected (B, M, ", options_.context, ")");
    const var<B, T> qkv = (*q_)(x);
    if (!q_norm_ && !angles) return (*out_)(self_attention(qkv, {.heads = options_.heads}));
    const auto parts = split(qkv, -1, 3);
    return attend(rotated(normed(parts[0], q_norm_), angles), rotated(normed(parts[1], k_norm_), angles), parts[2]);
  }

  // A parameter that names this block's place.
  const param<B, T>& place() const { return out_->weight(); }

  // Tokens that look at a context.
  var<B, T> operator()(const var<B, T>& x, const var<B, T>& context) const {
    if (!kv_) fail("attention: a context is given, but the block was built without");
    if (!context) fail("attention: no context given, expected (B, M, ", options_.context, ")");
    const auto kv = split((*kv_)(detail::beside(x, context)), -1, 2);
    return attend(normed((*q_)(x), q_norm_), normed(kv[0], k_norm_), kv[1]);
  }

 private:
  var<B, T> attend(const var<B, T>& q, const var<B, T>& k, const var<B, T>& v) const {
    return (*out_)(ul::attention(q, k, v, {.heads = options_.heads}));
  }

  var<B, T> normed(const var<B, T>& x, const std::optional<rms_norm<B, T>>& norm) const {
    if (!norm) return x;
    const extents& s = x.shape();
    return reshape((*norm)(reshape(x, {s[0], s[1], options_.heads, s[2] / options_.heads})), s);
  }

  var<B, T> rotated(const var<B, T>& x, const tensor<B, compute_t<T>>& angles) const {
    return angles ? rope(x, angles, {.heads = options_.heads}) : x;
  }

  attention_options options_;
  std::optional<linear<B, T>> q_, kv_;  // q_ makes q, k and v together without a context
  std::optional<rms_norm<B, T>> q_norm_, k_norm_;
  std::optional<linear<B, T>> out_;
};

}  // namespace ul::nn
