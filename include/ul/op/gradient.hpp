#pragma once
// Where an adjoint puts the gradient of one input. Several ops may read the same value; their gradients add up here.

#include <ul/op/mapped.hpp>

namespace ul {

// Two kinds: the gradient of an activation starts empty and lives as long as its node; the gradient of a parameter is a
// fixed place in a flat store to which every contribution is added. Nobody wants the gradient of a constant.
template <backend B, element T>
class gradient {
 public:
  gradient() = default;  // not wanted
  static gradient of_value(tensor<B, T>& slot) { return gradient(&slot, {}); }
  static gradient of_parameter(const tensor<B, T>& place) { return gradient(nullptr, place); }

  bool wanted() const { return slot_ != nullptr || place_; }
  explicit operator bool() const { return wanted(); }

  // A kernel's destination: `data` with `mode` replace when nothing is there yet, else add. No pointer if not wanted.
  struct destination {
    T* data = nullptr;
    store_mode mode = store_mode::replace;
  };
  destination into(B& device, const extents& shape) {
    if (!wanted()) return {};
    if (place_) return {place_.data(), store_mode::add};
    if (!*slot_) {
      *slot_ = tensor<B, T>(device, shape);
      return {slot_->data(), store_mode::replace};
    }
    if (!slot_->unique()) *slot_ = clone(*slot_);
    return {slot_->data(), store_mode::add};
  }

  // A kernel's destination that only ever adds: what is new starts at zero.
  T* adding(B& device, const extents& shape) {
    const destination d = into(device, shape);
    if (d.data != nullptr && d.mode == store_mode::replace) fill(*slot_, 0);
    return d.data;
  }

  // Adds a finished gradient; the first one is taken as it is, without a copy.
  void add(const tensor<B, T>& d) {
    if (!wanted()) return;
    if (!place_ && !*slot_) {
      *slot_ = d;
      return;
    }
    const space s{1, 1, d.size()};
    map(d.device(), d.shape(), s, detail::same{}, dense<const T>(d.data(), s));
  }

  // Adds f(in...) at every point of a space whose points are this gradient's elements.
  template <class F, class... In>
  void map(B& device, const extents& shape, const space& s, F f, operand<In>... in) {
    const destination d = into(device, shape);
    if (d.data != nullptr) detail::map_into(device, s, f, dense(d.data, s), d.mode, in...);
  }

  // Adds the sum of f(in...) over the mid axis of a space; the elements here are its (outer, inner).
  template <class F, class... In>
  void fold(B& device, const extents& shape, const space& s, F f, operand<In>... in) {
    const destination d = into(device, shape);
    if (d.data != nullptr && s.outer * s.inner != 0) device.fold(s, f, d.data, d.mode, in...);
  }

 private:
  gradient(tensor<B, T>* slot, const tensor<B, T>& place) : slot_(slot), place_(place) {}

  tensor<B, T>* slot_ = nullptr;
  tensor<B, T> place_;
};

}  // namespace ul
