#pragma once
// The norm before a network's last layer, modulated where the network is told a noise level.

#include <optional>

#include <ul/nn/condition.hpp>
#include <ul/nn/linear.hpp>
#include <ul/nn/norm.hpp>
#include <ul/op/slice.hpp>

namespace ul::nn {

struct final_norm_options {
  extent channels = 0;
  extent embedding = 0;  // 0: a layer norm with gain and offset
  double eps = 1e-5;
  initial start = initial::standard;  // of the modulation
};

// x (B, ..., channels) -> norm(x) * (1 + scale) + shift, shift | scale = modulation(embedding).
// Parameters: modulation/weight (embedding, 2 channels), modulation/bias; without embedding weight, bias (channels).
template <backend B, element T>
class final_norm {
 public:
  final_norm(const scope<B, T>& s, const final_norm_options& o) : options_(o) {
    if (o.embedding != 0)
      modulation_.emplace(s / "modulation", o.embedding, checked_mul(2, o.channels, "final_norm"),
                          linear_options{.start = o.start});
    else
      norm_.emplace(s, o.channels, o.eps);
  }

  var<B, T> operator()(const var<B, T>& x, const condition<B, T>& c) const {
    if (norm_) return (*norm_)(x);
    if (!c.embedding) fail("final_norm: no embedding given, expected (B, ", options_.embedding, ")");
    const auto shift_scale = split((*modulation_)(detail::beside(x, c.embedding)), -1, 2);
    return modulated_norm(x, shift_scale[1], shift_scale[0], {.eps = options_.eps});
  }

 private:
  final_norm_options options_;
  std::optional<linear<B, T>> modulation_;
  std::optional<layer_norm<B, T>> norm_;
};

}  // namespace ul::nn
