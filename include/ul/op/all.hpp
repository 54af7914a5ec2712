#pragma once
// Every op, one line each. Gradient checks, comparisons of backends and benchmarks walk `all_ops`, so that no op
// escapes them; a user's own op need not be here.

#include <ul/op/activations.hpp>
#include <ul/op/affine.hpp>
#include <ul/op/arithmetic.hpp>
#include <ul/op/attention.hpp>
#include <ul/op/combine.hpp>
#include <ul/op/conv.hpp>
#include <ul/op/conv_transpose.hpp>
#include <ul/op/cross_entropy.hpp>
#include <ul/op/dropout.hpp>
#include <ul/op/embedding.hpp>
#include <ul/op/functions.hpp>
#include <ul/op/gated_add.hpp>
#include <ul/op/glu.hpp>
#include <ul/op/group_norm.hpp>
#include <ul/op/linear.hpp>
#include <ul/op/matmul.hpp>
#include <ul/op/pad.hpp>
#include <ul/op/patchify.hpp>
#include <ul/op/pool.hpp>
#include <ul/op/reduce.hpp>
#include <ul/op/resize.hpp>
#include <ul/op/rope.hpp>
#include <ul/op/row_norm.hpp>
#include <ul/op/shape.hpp>
#include <ul/op/softmax.hpp>
#include <ul/op/squared_error.hpp>

namespace ul {

template <class... Ops>
struct op_list {
  // Calls f.template operator()<Op>() for each op, in order.
  template <class F>
  static void for_each(F&& f) {
    (f.template operator()<Ops>(), ...);
  }
};

using all_ops =
    op_list<op::exp, op::log, op::sqrt, op::square, op::abs, op::negate, op::relu, op::sigmoid, op::tanh, op::softplus,
            op::silu, op::gelu, op::gelu_erf, op::affine, op::add, op::sub, op::mul, op::div, op::gated_add,
            op::combine, op::sum, op::mean, op::sum_samples, op::mean_positions, op::squared_error, op::linear,
            op::matmul, op::conv, op::conv_transpose, op::group_norm, op::layer_norm, op::rms_norm, op::modulated_norm,
            op::attention, op::self_attention, op::softmax, op::log_softmax, op::cross_entropy, op::embedding,
            op::dropout, op::swiglu, op::geglu, op::rope, op::reshape, op::permute, op::slice, op::concat, op::expand,
            op::pad, op::crop, op::resize, op::avg_pool, op::patchify, op::unpatchify>;

}  // namespace ul
