#pragma once
// The cpu backend, counting the multiply-adds of products, convolutions (as if done directly) and attention.

#include <ul/backend/cpu.hpp>

namespace benchmark {

class counted : public ul::cpu {
 public:
  using ul::cpu::cpu;

  template <class In, class Out>
  void gemm(const ul::gemm_args<In, Out>& g) {
    add(g.batch * g.m * g.n, g.k);
    ul::cpu::gemm(g);
  }
  template <template <class> class Kernel, class T>
  void run(const Kernel<T>& kernel) {
    if constexpr (requires { kernel.shape.taps(); })
      add(kernel.shape.batch * kernel.shape.outputs() * kernel.shape.channels_out, kernel.shape.patch());
    else if constexpr (requires { kernel.dq; })
      add_attention(kernel.shape, 4);
    else if constexpr (requires { kernel.lse; })
      add_attention(kernel.shape, 2);
    ul::cpu::run(kernel);
  }

  double gigaflop() const { return 2e-9 * static_cast<double>(multiply_adds_); }
  void reset() { multiply_adds_ = 0; }

 private:
  void add(ul::extent results, ul::extent each) { multiply_adds_ += results * each; }
  void add_attention(const ul::attention_shape& s, ul::extent products) {
    add(products * s.batch * s.heads * s.queries * s.keys, s.depth);
  }

  ul::extent multiply_adds_ = 0;
};

}  // namespace benchmark
