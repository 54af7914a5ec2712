#pragma once
// The tape: what was computed, in order, so that gradients can be carried back. A variable is a tensor that knows the
// tape it is recorded on; without a tape it is just a tensor, and what is computed from it is freed as it goes.

#include <memory>
#include <vector>

#include <ul/op/op.hpp>

namespace ul {

template <backend B>
class tape;

// A recorded op that can compute its result again, at little cost, from what it kept. Who needs the result in the
// backward pass then need not keep it.
template <backend B, element T>
struct repeatable {
  virtual tensor<B, T> again() = 0;

 protected:
  ~repeatable() = default;
};

// A tensor, perhaps recorded, perhaps with a gradient to come.
template <backend B, element T>
class var {
 public:
  using backend_type = B;
  using value_type = T;

  var() = default;  // no tensor
  var(const tensor<B, T>& value) : value_(value) {}
  var(const tensor<B, T>& value, tape<B>* t, tensor<B, T>* slot, repeatable<B, T>* source = nullptr)
      : value_(value), tape_(t), slot_(slot), source_(source) {}

  explicit operator bool() const { return static_cast<bool>(value_); }

  const tensor<B, T>& value() const { return value_; }
  const extents& shape() const { return value_.shape(); }
  extent size() const { return value_.size(); }
  B& device() const { return value_.device(); }

  tape<B>* recorder() const { return tape_; }
  bool wants_gradient() const { return slot_ != nullptr; }
  tensor<B, T>* slot() const { return slot_; }          // where its gradient gathers; owned by the tape
  repeatable<B, T>* source() const { return source_; }  // the op it can be had from again, if so; owned by the tape

 private:
  tensor<B, T> value_;
  tape<B>* tape_ = nullptr;
  tensor<B, T>* slot_ = nullptr;
  repeatable<B, T>* source_ = nullptr;
};

// The same value, through which no gradient flows.
template <backend B, element T>
var<B, T> stop_gradient(const var<B, T>& x) {
  return var<B, T>(x.value(), x.recorder(), nullptr, x.source());
}

// One recording: made for one step, used by one thread, run back once.
template <backend B>
class tape {
 public:
  // One op's step back. After it ran, it and what it kept are gone.
  struct node {
    virtual ~node() = default;
    virtual void backward() = 0;
  };

  tape() = default;
  tape(const tape&) = delete;
  tape& operator=(const tape&) = delete;

  // A variable without a gradient, from which recording starts: parameters used with it are recorded.
  template <element T>
  var<B, T> constant(const tensor<B, T>& x) {
    return var<B, T>(x, this, nullptr);
  }

  // A variable whose gradient is wanted.
  template <element T>
  var<B, T> watch(const tensor<B, T>& x) {
    auto leaf = std::make_unique<leaf_node<T>>();
    tensor<B, T>* slot = &leaf->slot;
    leaves_.push_back(std::move(leaf));
    return var<B, T>(x, this, slot);
  }

  void push(std::unique_ptr<node> n) {
    if (spent_) fail("tape: recording after backward; a tape runs back once");
    nodes_.push_back(std::move(n));
  }

  // Carries gradients back from `y`, whose own gradient is `dy` (of y's extents), to everything watched and to the
  // gradients of parameters, where they are added. Frees what was recorded as it goes.
  // Throws ul::error when y is not recorded here, or when the tape has run before.
  template <element T>
  void backward(const var<B, T>& y, const tensor<B, T>& dy) {
    if (spent_) fail("backward: the tape has run before");
    if (y.recorder() != this) fail("backward: the variable is not recorded on this tape");
    if (dy.shape() != y.shape()) fail("backward: dy is ", dy.shape(), ", expected ", y.shape());
    spent_ = true;
    if (y.wants_gradient()) {
      gradient<B, T>::of_value(*y.slot()).add(dy);
      while (!nodes_.empty()) {
        nodes_.back()->backward();
        nodes_.pop_back();
      }
    }
    nodes_.clear();
  }

  // The same for a single number, such as a loss; `scale` is its gradient.
  template <element T>
  void backward(const var<B, T>& loss, double scale = 1) {
    if (loss.size() != 1) fail("backward: the loss has ", loss.size(), " elements, expected 1");
    backward(loss, full<T>(loss.device(), loss.shape(), scale));
  }

  // The gradient of a watched variable after backward; no tensor where none arrived.
  template <element T>
  const tensor<B, T>& gradient_of(const var<B, T>& x) const {
    if (x.recorder() != this || !x.wants_gradient()) fail("gradient_of: the variable is not watched on this tape");
    return *x.slot();
  }

 private:
  template <element T>
  struct leaf_node : node {
    tensor<B, T> slot;
    void backward() override {}
  };

  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<std::unique_ptr<node>> leaves_;
  bool spent_ = false;
};

}  // namespace ul
