#pragma once
// Running ops on recorded variables. This is the only place that records.

#include <tuple>

#include <ul/grad/parameters.hpp>
#include <ul/grad/tape.hpp>

namespace ul {

namespace detail {

// Each kind of input: its tensor, its tape, and what the node remembers to reach its gradient.
template <backend B, element T>
const tensor<B, T>& value_of(const tensor<B, T>& x) { return x; }
template <backend B, element T>
const tensor<B, T>& value_of(const var<B, T>& x) { return x.value(); }
template <backend B, element T>
tensor<B, T> value_of(const param<B, T>& x) { return x.value(); }

template <backend B, element T>
tape<B>* tape_of(const tensor<B, T>&) { return nullptr; }
template <backend B, element T>
tape<B>* tape_of(const var<B, T>& x) { return x.recorder(); }
template <backend B, element T>
tape<B>* tape_of(const param<B, T>&) { return nullptr; }

template <backend B, element T>
gradient<B, T> gradient_of(const tensor<B, T>&) { return {}; }
template <backend B, element T>
gradient<B, T> gradient_of(const var<B, T>& x) {
  return x.wants_gradient() ? gradient<B, T>::of_value(*x.slot()) : gradient<B, T>();
}
template <backend B, element T>
gradient<B, master_t<T>> gradient_of(const param<B, T>& x) { return x.gradient(); }

// The one tape of several inputs, or none.
template <backend B>
tape<B>* common_tape(std::initializer_list<tape<B>*> tapes) {
  tape<B>* found = nullptr;
  for (tape<B>* t : tapes) {
    if (t == nullptr || t == found) continue;
    if (found != nullptr) fail("apply: the inputs are recorded on two tapes");
    found = t;
  }
  return found;
}

template <class Op, backend B, element T, element Result, class... Gradients>
struct op_node final : tape<B>::node {
  Op op;
  typename Op::template saved<B, T> kept;
  std::tuple<Gradients...> inputs;
  tensor<B, Result> slot;  // the gradient of the result, as it gathers

  op_node(const Op& o, Gradients... g) : op(o), inputs(std::move(g)...) {}

  void backward() override {
    if (!slot) return;
    const tensor<B, Result> dy = std::move(slot);
    slot = {};
    std::apply([&](auto&... g) { op.adjoint(kept, dy, g...); }, inputs);
  }
};

template <class X>
concept recordable = tensor_like<X> && !is_tensor<X>;

}  // namespace detail

// Runs an op on variables, parameters and tensors, at least one of them not a plain tensor. Records it when an input is
// on a tape and some input wants a gradient. Throws ul::error when two inputs are on different tapes.
template <class Op, tensor_like First, tensor_like... Rest>
  requires(detail::recordable<First> || (detail::recordable<Rest> || ...))
auto apply(const Op& op, const First& first, const Rest&... rest) {
  using B = typename First::backend_type;
  using T = typename First::value_type;
  using saved = typename Op::template saved<B, T>;
  using result = decltype(op.forward(static_cast<saved*>(nullptr), detail::value_of(first), detail::value_of(rest)...));
  using R = typename result::value_type;

  tape<B>* t = detail::common_tape<B>({detail::tape_of(first), detail::tape_of(rest)...});
  if (t == nullptr) return var<B, R>(op.forward(static_cast<saved*>(nullptr), detail::value_of(first), detail::value_of(rest)...));

  const auto record = [&](auto... gradients) {
    if (!(gradients.wanted() || ...))
      return var<B, R>(op.forward(static_cast<saved*>(nullptr), detail::value_of(first), detail::value_of(rest)...), t,
                       nullptr);
    using node = detail::op_node<Op, B, T, R, decltype(gradients)...>;
    auto n = std::make_unique<node>(op, gradients...);
    const result y = op.forward(&n->kept, detail::value_of(first), detail::value_of(rest)...);
    tensor<B, R>* slot = &n->slot;
    t->push(std::move(n));
    return var<B, R>(y, t, slot);
  };
  return record(detail::gradient_of(first), detail::gradient_of(rest)...);
}

}  // namespace ul
