// The work of libtorch for `compare`, which starts this program and speaks to it as child.hpp says.

#include <torch/torch.h>

#include <iostream>
#include <sstream>

#include "../stopwatch.hpp"
#include "memory.hpp"
#include "torch_cases.hpp"

namespace {

using namespace benchmark;

// The case at hand.
class held_case {
 public:
  std::string begin(const std::string& name, int threads) {
    at::set_num_threads(threads);
    torch::manual_seed(1);
    threads_ = threads;
    settings_ = torch_ops(name);
    for (const torch_setting& s : torch_networks(name)) settings_.push_back(s);
    works_.assign(settings_.size(), nullptr);
    std::string names;
    for (const torch_setting& s : settings_) names += (names.empty() ? "" : "\t") + s.name;
    return names;
  }
  std::string run(std::size_t i, int repeats) {
    const lap t = timed(threads_, repeats, work(i));
    std::ostringstream s;
    s << t.each << ' ' << t.processor;
    return s.str();
  }
  std::string memory(std::size_t i) { return std::to_string(peak_mib(work(i))); }

 private:
  const std::function<void()>& work(std::size_t i) {
    if (!works_.at(i)) works_[i] = settings_[i].make();
    return works_[i];
  }

  int threads_ = 1;
  std::vector<torch_setting> settings_;
  std::vector<std::function<void()>> works_;
};

std::string answer(held_case& held, const std::string& line) {
  std::istringstream words(line);
  std::string verb, first, second;
  std::getline(words, verb, '\t');
  std::getline(words, first, '\t');
  std::getline(words, second, '\t');
  if (verb == "case") return held.begin(first, std::stoi(second));
  if (verb == "run") return held.run(std::stoul(first), std::stoi(second));
  if (verb == "memory") return held.memory(std::stoul(first));
  return "error: what is " + line;
}

}  // namespace

int main() {
  std::cout << "libtorch " << TORCH_VERSION << std::endl;
  held_case held;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << answer(held, line) << std::endl;
    } catch (const std::exception& e) {
      std::string what = e.what();
      std::cout << "error: " << what.substr(0, what.find('\n')) << std::endl;
    }
  }
}
