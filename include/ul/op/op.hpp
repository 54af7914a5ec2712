#pragma once
// What an op is. A small value that holds its settings, with
//   name                         for messages and tests
//   saved<B, T>                  what the adjoint needs to know again
//   forward(saved*, x...) -> y   keeps into `saved` unless that is null, which is how inference asks for nothing
//   adjoint(saved, dy, dx...)    adds each input's gradient to its `gradient`, if that one is wanted
// and, if that is cheap,
//   again(saved) -> y            computes the result once more, so that who needs it in the backward pass does not keep
//                                it; with repeats_cheaply(saved) -> bool where that depends on the case, and with
//                                repeats_without_input = true where the first input, though kept, is not read
// An op of a user's own is a struct like these; nothing has to be registered. Ops run on tensors by `apply` below, and
// on recorded variables by the `apply` of grad/apply.hpp.

#include <ul/op/gradient.hpp>

namespace ul {

// A tensor, or what stands for one: a variable, a parameter.
template <class X>
concept tensor_like = requires(const X& x) {
  typename X::backend_type;
  typename X::value_type;
  x.shape();
};

// Runs an op on tensors, recording nothing.
template <class Op, backend B, element T, class... X>
requires(detail::is_tensor<X>&&...) auto apply(const Op& op, const tensor<B, T>& first, const X&... rest) {
  return op.forward(static_cast<typename Op::template saved<B, T>*>(nullptr), first, rest...);
}

// An adjoint that needs nothing.
struct nothing {};

}  // namespace ul
