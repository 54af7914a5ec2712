#pragma once
// The cases that compare_torch has work for.

#include <functional>
#include <string>
#include <vector>

namespace benchmark {

// One way to do the work of a case. `make` prepares its tensors, which live as long as what it returns.
struct torch_setting {
  std::string name;
  std::function<std::function<void()>()> make;
};

// Those of a case; none for one that is not known.
std::vector<torch_setting> torch_ops(const std::string& name);
std::vector<torch_setting> torch_networks(const std::string& name);

}  // namespace benchmark
