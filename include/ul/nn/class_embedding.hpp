#pragma once
// One learned vector for each class, and one for "no class", which guidance needs. Ho and Salimans 2022.

#include <ul/nn/condition.hpp>
#include <ul/op/embedding.hpp>

namespace ul::nn {

// label (B), each in [0, classes], -> (B, features). The number `classes` itself means no class; one out of range gives
// NaN. Parameters: weight (classes + 1, features), normal of deviation 0.02.
template <backend B, element T>
class class_embedding {
 public:
  class_embedding(const scope<B, T>& s, extent classes, extent features)
      : weight_(s.declare("weight", {checked_add(classes, 1, "class_embedding"), features}, normal_init(0.02))) {}

  var<B, T> operator()(const var<B, std::int32_t>& label) const { return embedding(weight_, label); }

 private:
  param<B, T> weight_;
};

}  // namespace ul::nn
