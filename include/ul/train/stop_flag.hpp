#pragma once
// A wish to stop, carried from a signal handler, another thread or an observer to the loop that can act on it.
//
//   ul::stop_flag stop;                                                           // a global of the program
//   std::signal(SIGINT, [](int) { stop.request(); });                             // the program's decision
//   while (step < steps && !stop.requested()) ...                                 // then save

#include <atomic>

namespace ul {

class stop_flag {
 public:
  // Safe in a signal handler.
  void request() noexcept { requests_.fetch_add(1, std::memory_order_relaxed); }

  bool requested() const noexcept { return requests() > 0; }

  // A second request may mean: now, without saving.
  int requests() const noexcept { return requests_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<int>::is_always_lock_free);
  std::atomic<int> requests_{0};
};

}  // namespace ul
