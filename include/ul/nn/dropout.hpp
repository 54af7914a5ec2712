#pragma once
// Dropout inside blocks. A step has one key; each place that drops derives its own from the path of a parameter beside
// it, so the mask of a place depends on no other place.

#include <ul/grad/apply.hpp>
#include <ul/op/dropout.hpp>

namespace ul::nn {

// x, of which a share `rate` is set to zero and the rest scaled up, where a key is given; else x.
template <backend B, element T>
var<B, T> dropped(const var<B, T>& x, const param<B, T>& place, double rate, const key* step) {
  if (step == nullptr || rate == 0) return x;
  return dropout(x, step->fold_in(hash_of(place.entry().path)), rate);
}

}  // namespace ul::nn
