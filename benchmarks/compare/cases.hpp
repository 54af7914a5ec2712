#pragma once
// The cases, by kind, and what they are run with.

#include <deque>
#include <ul/backend/cpu.hpp>

#include "child.hpp"
#include "comparison.hpp"

namespace benchmark {

struct contest {
  comparison& all;
  ul::cpu& device;
  int threads;
  const peer_programs &libtorch, &pytorch;  // 1.13 from Debian, and a current one
  bool avx2 = false;                        // ours is built for AVX2, and the peers are held to it

  bar held_to(bar usual, bar with_avx2) const { return avx2 ? with_avx2 : usual; }

  // Ours against every setting of both.
  void against_torch(const std::string& name, bar by_libtorch, bar by_pytorch,
                     const std::function<void()>& ours) const {
    all.run(name, threads, by_libtorch, ours, libtorch.works(name, threads));
    all.run(name, threads, by_pytorch, ours, pytorch.works(name, threads));
  }
};

// Arrays on the device's memory, filled with normal numbers.
class arrays {
 public:
  explicit arrays(ul::cpu& device) : device_(device) {}
  float* operator()(long count) {
    held_.emplace_back(device_, count);
    device_.normal(held_.back().data(), count, ul::key(held_.size()), 0);
    return held_.back().data();
  }

 private:
  ul::cpu& device_;
  std::deque<ul::scratch<ul::cpu, float>> held_;
};

void compare_gemm(const contest& c);
void compare_conv(const contest& c);
void compare_ops(const contest& c);
void compare_networks(const contest& c);

// MiB at most in use in training steps of a network, the first ones of this process, above those in use before.
double network_memory(const std::string& name, int threads);

}  // namespace benchmark
