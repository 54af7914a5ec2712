#pragma once
// Times of code, and the limit they are held against.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <vector>

#include <ul/backend/cpu.hpp>

namespace benchmark {

inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
// Of the whole process: not disturbed by others on the machine, but only right for one thread.
inline double cpu_seconds() {
  std::timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

inline double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

// Seconds f takes: processor time for one thread, else wall time.
template <class F>
double seconds(ul::extent threads, const F& f) {
  const auto now = threads == 1 ? cpu_seconds : wall_seconds;
  const double start = now();
  f();
  return now() - start;
}

// GFLOP/s of multiply-adds on registers alone, all threads together: the most of several short runs.
inline double peak_gigaflops(ul::cpu& device) {
  using pack = ul::pack<float>;
  constexpr ul::extent rounds = 2000000;
  constexpr int chains = 12;
  const ul::extent threads = device.threads();
  std::vector<float> sink(static_cast<std::size_t>(threads));
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double time = seconds(threads, [&] {
      device.for_each(threads, ul::extent{1} << 40, [&](ul::extent t) {
        pack sum[chains];
        for (int c = 0; c < chains; ++c) sum[c] = pack(static_cast<float>(c));
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
