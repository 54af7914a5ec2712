#pragma once
// Parameters live in one flat store: their values in one buffer, their gradients in another, in the order in which the
// blocks of a model asked for them. So the optimiser, clipping, averaging and checkpoints are single passes.
// A model is built in two phases: its blocks declare what they need (nothing is allocated, and the number of parameters
// is known), then `allocate` makes the store and fills it with initial values.

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include <ul/grad/initialise.hpp>
#include <ul/op/gradient.hpp>

namespace ul {

// One parameter's place. Its path is stable, such as "decoder/middle/0/qkv/weight", and names it in files.
struct parameter_entry {
  std::string path;
  extents shape;
  extent offset = 0;
  initialiser init;
};

namespace detail {
template <backend B, element T>
struct parameter_state {
  B* device;
  std::vector<parameter_entry> entries;
  std::unordered_set<std::string> paths;  // of the entries, of which a deep model has many
  extent count = 0;
  tensor<B, T> value;                // (count): what blocks compute with
  tensor<B, master_t<T>> master;     // (count): what the optimiser updates; `value` itself when T is its own master
  tensor<B, master_t<T>> gradient;   // (count): none unless training
};
}  // namespace detail

// A block's handle to one parameter.
template <backend B, element T>
class param {
 public:
  using backend_type = B;
  using value_type = T;

  param() = default;  // none, such as the bias of a layer without one
  param(std::shared_ptr<detail::parameter_state<B, T>> state, std::size_t entry)
      : state_(std::move(state)), entry_(entry) {}

  explicit operator bool() const { return state_ != nullptr; }
  const parameter_entry& entry() const { return state_->entries[entry_]; }
  const extents& shape() const { return entry().shape; }

  // The values, as a view of the store; no tensor for no parameter. Throws ul::error before `allocate`.
  tensor<B, T> value() const {
    if (!state_) return {};
    if (!state_->value) fail("parameters: ", entry().path, " is used before allocate()");
    return state_->value.part(entry().offset, entry().shape);
  }

  // Where its gradient is added; not wanted unless the store keeps gradients.
  ul::gradient<B, master_t<T>> gradient() const {
    if (!state_ || !state_->gradient) return {};
    return ul::gradient<B, master_t<T>>::of_parameter(state_->gradient.part(entry().offset, entry().shape));
  }

 private:
  std::shared_ptr<detail::parameter_state<B, T>> state_;
  std::size_t entry_ = 0;
};

// Where a block declares its parameters: a path in the store. `scope / "name"` is the place of a part.
template <backend B, element T>
class scope {
 public:
  scope(std::shared_ptr<detail::parameter_state<B, T>> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}

  B& device() const { return *state_->device; }

  scope operator/(const std::string& name) const { return scope(state_, path_.empty() ? name : path_ + "/" + name); }
  scope operator/(extent number) const { return *this / std::to_string(number); }

  // Declares a parameter. Throws ul::error when the store is allocated already or the name is taken.
  param<B, T> declare(const std::string& name, const extents& shape, const initialiser& init) const {
    const std::string path = (*this / name).path_;
    if (state_->value) fail("parameters: ", path, " is declared after allocate()");
    if (!state_->paths.insert(path).second) fail("parameters: ", path, " is declared twice");
    state_->entries.push_back({path, shape, state_->count, init});
    state_->count = round_up(checked_add(state_->count, shape.size(), "parameters"), alignment, "parameters");
    return param<B, T>(state_, state_->entries.size() - 1);
  }

 private:
  static constexpr extent alignment = 16;  // elements; the gaps hold zeros for ever

  std::shared_ptr<detail::parameter_state<B, T>> state_;
  std::string path_;
};

template <backend B, element T>
class parameters {
 public:
  using backend_type = B;
  using value_type = T;

  explicit parameters(B& device) : state_(std::make_shared<detail::parameter_state<B, T>>()) {
    state_->device = &device;
  }

  B& device() const { return *state_->device; }
  scope<B, T> root() const { return scope<B, T>(state_, ""); }
  const std::vector<parameter_entry>& entries() const { return state_->entries; }

  // The number of parameters, and of elements in the flat buffers, which are padded.
  extent count() const {
    extent n = 0;
    for (const parameter_entry& e : entries()) n = checked_add(n, e.shape.size(), "parameters");
    return n;
  }
  extent flat_size() const { return state_->count; }

  // Makes the buffers and fills each parameter by its initialiser. Each draws from a key of its own, derived from its
  // path, so that a change elsewhere in the model leaves it as it was.
  void allocate(key k) {
    std::vector<master_t<T>> host(static_cast<std::size_t>(flat_size()));
    for (const parameter_entry& e : entries())
      initialise(e.init, k.fold_in(hash_of(e.path)), host.data() + e.offset, e.shape.size());
    adopt(from_host<master_t<T>>(device(), {flat_size()}, host));
  }
  // The same with zeros, for values that are yet to come, such as from a file.
  void allocate() { adopt(zeros<master_t<T>>(device(), {flat_size()})); }

  // Starts a step of training: gradients are kept from now on, and are zero. `drop_gradient` freezes all parameters.
  void zero_gradient() {
    if (!state_->gradient) state_->gradient = tensor<B, master_t<T>>(device(), {flat_size()});
    fill(state_->gradient, 0);
  }
  void drop_gradient() { state_->gradient = {}; }

  // The flat buffers. Throws ul::error before `allocate`.
  const tensor<B, T>& value() const { return existing(state_->value); }
  const tensor<B, master_t<T>>& master() const { return existing(state_->master); }
  const tensor<B, master_t<T>>& gradient() const { return state_->gradient; }

  // One parameter's part of a flat buffer, such as master().
  template <element U>
  tensor<B, U> part(const tensor<B, U>& flat, const parameter_entry& e) const {
    return flat.part(e.offset, e.shape);
  }

 private:
  void adopt(const tensor<B, master_t<T>>& master) {
    state_->master = master;
    if constexpr (std::is_same_v<T, master_t<T>>)
      state_->value = master;
    else
      state_->value = cast<T>(master);
  }

  template <class X>
  static const X& existing(const X& x) {
    if (!x) fail("parameters: used before allocate()");
    return x;
  }

  std::shared_ptr<detail::parameter_state<B, T>> state_;
};

}  // namespace ul
