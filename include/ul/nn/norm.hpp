#pragma once
// Normalisations as blocks. Each has a gain that starts at one and, but for RMS norm, an offset that starts at zero.

#include <ul/grad/apply.hpp>
#include <ul/op/group_norm.hpp>
#include <ul/op/row_norm.hpp>

namespace ul::nn {

struct group_norm_options {
  extent groups = 32;
  double eps = 1e-5;
  activation act = activation::none;
};

// x (B, ..., channels) -> the same. Over all positions of a sample and a group of channels. Wu and He 2018.
// Parameters: weight (channels), bias (channels).
template <backend B, element T>
class group_norm {
 public:
  group_norm(const scope<B, T>& s, extent channels, const group_norm_options& o = {})
      : options_(o),
        weight_(s.declare("weight", {channels}, ones_init)),
        bias_(s.declare("bias", {channels}, zeros_init)) {
    if (o.groups < 1 || channels % o.groups != 0)
      fail("group_norm: ", channels, " channels do not divide into ", o.groups, " groups");
  }

  var<B, T> operator()(const var<B, T>& x) const {
    return ul::group_norm(x, weight_, bias_, {.groups = options_.groups, .eps = options_.eps, .act = options_.act});
  }

 private:
  group_norm_options options_;
  param<B, T> weight_, bias_;
};

// x (..., channels) -> the same. Over the channels of each position. Ba, Kiros and Hinton 2016.
// Parameters: weight (channels), bias (channels).
template <backend B, element T>
class layer_norm {
 public:
  layer_norm(const scope<B, T>& s, extent channels, double eps = 1e-5)
      : eps_(eps),
        weight_(s.declare("weight", {channels}, ones_init)),
        bias_(s.declare("bias", {channels}, zeros_init)) {}

  var<B, T> operator()(const var<B, T>& x) const { return ul::layer_norm(x, weight_, bias_, {.eps = eps_}); }

 private:
  double eps_;
  param<B, T> weight_, bias_;
};

// x (..., channels) -> the same. The channels of each position divided by their root mean square. Zhang and Sennrich
// 2019. Parameters: weight (channels).
template <backend B, element T>
class rms_norm {
 public:
  rms_norm(const scope<B, T>& s, extent channels, double eps = 1e-6)
      : eps_(eps), weight_(s.declare("weight", {channels}, ones_init)) {}

  var<B, T> operator()(const var<B, T>& x) const { return ul::rms_norm(x, weight_, {.eps = eps_}); }

 private:
  double eps_;
  param<B, T> weight_;
};

}  // namespace ul::nn
