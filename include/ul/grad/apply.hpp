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

// What an op kept of its first input, if anything: what it keeps is that alone, or has it as a member x.
template <backend B, element T>
tensor<B, T>* kept_input(tensor<B, T>& kept) { return &kept; }
template <class Saved>
auto kept_input(Saved& kept) requires requires { kept.x; } { return &kept.x; }
template <class Saved>
std::nullptr_t kept_input(Saved&) { return nullptr; }

template <class Op, backend B, element T, element Result, class... Gradients>
struct op_node final : tape<B>::node, repeatable<B, Result> {
  using saved = typename Op::template saved<B, T>;
  static constexpr bool repeats = requires(const Op& o, const saved& s) { o.again(s); };
  static constexpr bool keeps_input = std::is_same_v<decltype(kept_input(std::declval<saved&>())), tensor<B, T>*>;

  Op op;
  saved kept;
  std::tuple<Gradients...> inputs;
  repeatable<B, T>* source = nullptr;  // of the first input, if that was not kept because it can be had again
  tensor<B, Result> slot;              // the gradient of the result, as it gathers

  op_node(const Op& o, Gradients... g) : op(o), inputs(std::move(g)...) {}

  // Lets go of the first input, as far as it was kept, when it can be had again.
  void release(const tensor<B, T>& x, repeatable<B, T>* from) {
    if constexpr (keeps_input)
      if (tensor<B, T>* const mine = kept_input(kept); from != nullptr && mine->data() == x.data())
        *mine = {}, source = from;
  }

  bool repeats_cheaply() const {
    if constexpr (requires { op.repeats_cheaply(kept); })
      return op.repeats_cheaply(kept);
    else
      return repeats;
  }

  tensor<B, Result> again() override {
    if constexpr (repeats) {
      constexpr bool reads = !requires { Op::repeats_without_input; };
      const bool missing = reads && take_back();
      const tensor<B, Result> y = op.again(kept);
      if constexpr (keeps_input)
        if (missing) *kept_input(kept) = {};
      return y;
    } else {
      return {};
    }
  }

  void backward() override {
    if (!slot) return;
    const tensor<B, Result> dy = std::move(slot);
    slot = {};
    take_back();
    std::apply([&](auto&... g) { op.adjoint(kept, dy, g...); }, inputs);
  }

 private:
  bool take_back() {
    if constexpr (keeps_input)
      if (source != nullptr) {
        *kept_input(kept) = source->again();
        return true;
      }
    return false;
  }
};

template <backend B, element T>
repeatable<B, T>* source_of(const var<B, T>& x) { return x.source(); }
template <class X>
std::nullptr_t source_of(const X&) { return nullptr; }

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
    n->release(detail::value_of(first), detail::source_of(first));
    tensor<B, R>* slot = &n->slot;
    repeatable<B, R>* source = n->repeats_cheaply() ? n.get() : nullptr;
    t->push(std::move(n));
    return var<B, R>(y, t, slot, source);
  };
  return record(detail::gradient_of(first), detail::gradient_of(rest)...);
}

}  // namespace ul
