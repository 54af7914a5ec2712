#pragma once
// What a block is told besides its input. A block reads the fields it was built for and leaves the others alone, so one
// value goes through a whole network.

#include <cstdint>

#include <ul/grad/apply.hpp>

namespace ul::nn {

template <backend B, element T>
struct condition {
  var<B, T> embedding = {};      // (B, E): noise level, class and their like, activated already
  var<B, T> context = {};        // (B, M, F): the tokens cross-attention looks at
  const key* dropout = nullptr;  // the step's key in training; none in inference, where nothing is dropped
};

// What a whole network is told besides its input.
template <backend B, element T>
struct network_condition {
  tensor<B, compute_t<T>> noise = {};  // (B): the log-SNR or the time of each sample
  tensor<B, std::int32_t> label = {};  // (B): the class of each sample
  var<B, T> context = {};              // (B, M, F)
  const key* dropout = nullptr;
};

namespace detail {

// A constant recorded where x is: parameters that meet only constants are recorded too.
template <element U, backend B, element T>
var<B, U> beside(const var<B, T>& x, const tensor<B, U>& constant) {
  return var<B, U>(constant, x.recorder(), nullptr);
}
template <backend B, element T>
var<B, T> beside(const var<B, T>& x, const var<B, T>& given) {
  return given.recorder() == nullptr ? beside(x, given.value()) : given;
}

}  // namespace detail

}  // namespace ul::nn
