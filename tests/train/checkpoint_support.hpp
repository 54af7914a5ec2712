#pragma once
// A training state small enough to be written hundreds of times, every number of it a function of its step.

#include <ul/train/checkpoint_reader.hpp>
#include <ul/train/checkpoint_writer.hpp>

#include "../io/support.hpp"

namespace test {

struct sample_state {
  ul::extent step;
  std::vector<float> weights;
  std::vector<double> moments;

  explicit sample_state(ul::extent s) : step(s), weights(300), moments(100) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<float>(step) + 1 / static_cast<float>(i + 1);
    for (std::size_t i = 0; i < moments.size(); ++i)
      moments[i] = 1 / static_cast<double>(step + 3) - static_cast<double>(i);
  }

  ul::json scalars() const {
    return ul::json::object{
        {"seed", ~std::uint64_t{0}}, {"position", 64 * step}, {"loss", 1 / static_cast<double>(step + 1)}};
  }
  std::vector<ul::checkpoint_part> parts() const {
    return {{"model", {ul::named_tensor("first/weight", weights, {30, 10})}, {{"format", "ul"}}},
            {"optimiser", {ul::named_tensor("adam/first", moments)}}};
  }
};

inline bool same_bytes(ul::byte_view a, ul::byte_view b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Whether a checkpoint holds exactly the state of its step.
inline bool is_whole(const ul::checkpoint& c) {
  const sample_state s(c.step);
  const auto parts = s.parts();
  return c.state == s.scalars() && same_bytes(c["model"]["first/weight"].bytes, parts[0].tensors[0].bytes) &&
         same_bytes(c["optimiser"]["adam/first"].bytes, parts[1].tensors[0].bytes);
}

template <class System>
std::string save(ul::checkpoint_writer<System>& writer, ul::extent step) {
  const sample_state s(step);
  return writer.save(step, s.scalars(), s.parts());
}
inline std::string save(const std::string& run, ul::extent step, const ul::checkpoint_options& options = {}) {
  ul::checkpoint_writer<> writer(run, ul::json::object{{"width", 8}}, options);
  return save(writer, step);
}

// The step of the newest whole checkpoint; -1 without one.
inline ul::extent latest_step(const std::string& run) {
  const auto found = ul::read_latest_checkpoint(run);
  if (!found) return -1;
  CHECK(is_whole(*found));
  return found->step;
}

// The names in a directory, sorted, each followed by a space.
inline std::string names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& name : names) all += name + ' ';
  return all;
}

}  // namespace test
