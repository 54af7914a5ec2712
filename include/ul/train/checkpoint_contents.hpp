#pragma once
// What goes into one checkpoint, gathered from the parts of a training run: copies of their tensors, and their
// counters.
//
//   ul::checkpoint_contents<float> contents;
//   contents.add_weights("autoencoder", p, p.master());
//   contents.add_states("autoencoder-training", optimiser.state(), average.state());
//   contents.state.set("step", step);
//   writer.save(step, contents.state, contents.parts);

#include <deque>

#include <ul/io/parameters_file.hpp>
#include <ul/train/checkpoint_writer.hpp>
#include <ul/train/state_file.hpp>

namespace ul {

template <element M>
class checkpoint_contents {
 public:
  checkpoint_contents() = default;
  checkpoint_contents(const checkpoint_contents&) = delete;

  json state = json::object{};
  std::vector<checkpoint_part> parts;

  // Parameters under their paths, their values from a flat buffer.
  template <backend B, element T>
  void add_weights(const std::string& part, const parameters<B, T>& p, const tensor<B, M>& flat) {
    parameter_tensors<M>& tensors = weights_.emplace_back();
    tensors.add(p, flat);
    parts.push_back({part, tensors.list()});
  }

  // Flat buffers of optimisers and averages.
  template <class... States>
  void add_states(const std::string& part, const States&... states) {
    state_tensors<M>& tensors = states_.emplace_back();
    (tensors.add(states), ...);
    parts.push_back({part, tensors.list()});
  }

 private:
  std::deque<parameter_tensors<M>> weights_;
  std::deque<state_tensors<M>> states_;
};

}  // namespace ul
