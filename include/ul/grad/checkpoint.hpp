#pragma once
// Memory for time: what happens inside is not kept, but computed again when gradients come back. Chen et al. 2016.

#include <tuple>

#include <ul/grad/apply.hpp>

namespace ul {

namespace detail {

template <class F, backend B, element R, class... X>
struct checkpoint_node final : tape<B>::node {
  F f;
  std::tuple<X...> inputs;  // the variables as they came, without a recorder of their own here
  tensor<B, R> slot;

  checkpoint_node(const F& function, const X&... x) : f(function), inputs(x...) {}

  void backward() override {
    if (!slot) return;
    const tensor<B, R> dy = std::move(slot);
    slot = {};
    std::apply([&](const X&... x) { again(dy, x...); }, inputs);
  }

 private:
  template <element T>
  static var<B, T> tracked(tape<B>& t, const var<B, T>& x) {
    if (!x) return {};
    return x.wants_gradient() ? t.watch(x.value()) : t.constant(x.value());
  }
  template <element T>
  static void hand_over(const tape<B>& t, const var<B, T>& inner, const var<B, T>& outer) {
    if (!inner.wants_gradient() || !t.gradient_of(inner)) return;
    gradient<B, T>::of_value(*outer.slot()).add(t.gradient_of(inner));
  }

  void again(const tensor<B, R>& dy, const X&... x) {
    tape<B> inner;
    const std::tuple<X...> v{tracked(inner, x)...};
    std::apply([&](const X&... in) {
      inner.backward(f(in...), dy);
      (hand_over(inner, in, x), ...);
    }, v);
  }
};

}  // namespace detail

// y = f(x...), for a copyable f from variables to a variable that gives the same result whenever it runs (randomness
// through keys does). While recording, only the inputs are kept and f runs a second time in the backward pass; the
// gradients of parameters inside f are added as ever.
template <class F, backend B, element T, class... Rest>
auto checkpointed(const F& f, const var<B, T>& x, const Rest&... rest) {
  using result = decltype(f(x, rest...));
  using R = typename result::value_type;
  tape<B>* t = detail::common_tape<B>({detail::tape_of(x), detail::tape_of(rest)...});
  const auto plain = [](const auto& v) { return std::remove_cvref_t<decltype(v)>(v.value()); };
  const result y = f(plain(x), plain(rest)...);
  if (t == nullptr) return y;
  auto n = std::make_unique<detail::checkpoint_node<F, B, R, var<B, T>, Rest...>>(f, x, rest...);
  tensor<B, R>* slot = &n->slot;
  t->push(std::move(n));
  return result(y.value(), t, slot);
}

}  // namespace ul
