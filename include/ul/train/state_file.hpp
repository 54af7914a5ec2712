#pragma once
// The state of an optimiser or an average in checkpoints: its flat buffers under their names, bit for bit.
//
//   ul::state_tensors<float> tensors;                 // copies on the host
//   tensors.add(optimiser.state());
//   tensors.add(average.state());
//   writer.save(step, ul::json::object{{"adam", optimiser.steps()}, ...}, {{"training", tensors.list()}, ...});
//
//   ul::restore(optimiser.state(), saved["training"]);
//   optimiser.resume(saved.state["adam"].integer<ul::extent>());

#include <algorithm>
#include <cmath>
#include <deque>

#include <ul/io/safetensors_writer.hpp>
#include <ul/tensor/create.hpp>
#include <ul/train/state.hpp>

namespace ul {

template <element T>
class state_tensors {
 public:
  state_tensors() = default;
  state_tensors(const state_tensors&) = delete;

  // Adds copies of the buffers, as "<prefix><name>".
  template <backend B, std::size_t Count>
  void add(const flat_states<B, T, Count>& states, const std::string& prefix = "") {
    for (const flat_state<B, T>& s : states)
      list_.push_back(named_tensor(prefix + s.name, copies_.emplace_back(to_host(s.values))));
  }

  // Views of the copies, for a part of a checkpoint.
  const std::vector<safetensors_tensor>& list() const { return list_; }

 private:
  std::deque<std::vector<T>> copies_;
  std::vector<safetensors_tensor> list_;
};

// Fills the buffers from a file. Throws ul::error naming file and tensor, and then none has changed: missing, of
// another size or type, or with a value that is not finite.
template <backend B, element T, std::size_t Count>
void restore(const flat_states<B, T, Count>& states, const safetensors& file, const std::string& prefix = "") {
  std::array<std::vector<T>, Count> values;
  for (std::size_t i = 0; i < Count; ++i) {
    const safetensors_tensor& t = file[prefix + states[i].name];
    const std::vector<extent> expected{states[i].values.size()};
    if (t.type != safetensors_type_of<T> || t.shape != expected) {
      fail(printable(file.name), ": tensor ", printable(t.name), ": expected ",
           safetensors_name(safetensors_type_of<T>), ' ', shape_text(expected), ", got ", safetensors_name(t.type), ' ',
           shape_text(t.shape));
    }
    values[i] = values_of<T>(t);
    const auto bad = std::find_if(values[i].begin(), values[i].end(), [](T x) { return !std::isfinite(x); });
    if (bad != values[i].end()) {
      fail(printable(file.name), ": tensor ", printable(t.name), ": element ", bad - values[i].begin(), " is ", *bad,
           ", expected a finite number");
    }
  }
  for (std::size_t i = 0; i < Count; ++i) {
    const tensor<B, T>& to = states[i].values;
    to.device().upload(to.data(), values[i].data(), to.size() * extent{sizeof(T)});
  }
}

}  // namespace ul
