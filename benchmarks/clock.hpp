#pragma once
// Times of code, and the limit they are held against.

#include <ul/backend/cpu.hpp>

#include "stopwatch.hpp"

namespace benchmark {

// GFLOP/s of multiply-adds on registers alone, all threads together: the most of several short runs.
inline double peak_gigaflops(ul::cpu& device) {
  using pack = ul::pack<float>;
  constexpr ul::extent rounds = 2000000;
  constexpr int chains = 12;
  const ul::extent threads = device.threads();
  std::vector<float> sink(static_cast<std::size_t>(threads));
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    const double time = seconds(threads, [&] {
      device.for_each(threads, ul::extent{1} << 40, [&](ul::extent t) {
        pack sum[chains];
        // No chain starts at 1, where it would stand still and could be left out.
        for (int c = 0; c < chains; ++c) sum[c] = pack(static_cast<float>(c + 2));
        const pack x(0.999f), y(0.001f);
        for (ul::extent r = 0; r < rounds; ++r)
          ul::simd::unroll<chains>([&](auto c) __attribute__((always_inline)) { sum[c] = muladd(x, sum[c], y); });
        for (int c = 1; c < chains; ++c) sum[0] += sum[c];
        sink[static_cast<std::size_t>(t)] = reduce_sum(sum[0]);
      });
    });
    best = (std::max)(best, 2e-9 * static_cast<double>(threads * rounds * chains * pack::size) / time);
  }
  return best;
}

}  // namespace benchmark
