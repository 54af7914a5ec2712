#pragma once
// How far apart two cores are. Those of a virtual machine may move away from each other, to where they share no cache,
// and back within minutes; what two threads share is dear then.

#include <atomic>
#include <thread>
#include <vector>

#include "../stopwatch.hpp"

namespace benchmark {

// Nanoseconds in which a cache line goes from one thread to another and back: the median of many short turns, most of
// them after the system has put the threads on two cores.
inline double round_trip_nanoseconds() {
  constexpr int trips = 500, turns = 401;
  std::atomic<int> count = 0;
  const auto await = [&](int value) {
    for (int spins = 0; count.load(std::memory_order_acquire) != value; ++spins)
      if (spins % 100000 == 99999) std::this_thread::yield();
  };
  std::jthread other([&] {
    for (int i = 0; i < turns * trips; ++i) {
      await(2 * i + 1);
      count.store(2 * i + 2, std::memory_order_release);
    }
  });
  std::vector<double> times;
  for (int turn = 0, i = 0; turn < turns; ++turn) {
    const double start = wall_seconds();
    for (int trip = 0; trip < trips; ++trip, ++i) {
      count.store(2 * i + 1, std::memory_order_release);
      await(2 * i + 2);
    }
    times.push_back((wall_seconds() - start) * 1e9 / trips);
  }
  return median(times);
}

}  // namespace benchmark
