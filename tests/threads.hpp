#pragma once
// The settings under which a result must be the same bits, and proof that they really run on so many threads.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <ul/backend/cpu.hpp>

namespace ul::test {

// 1, 2, 3 and 8 threads of the library's own pool, and 1 and 2 of oneTBB, which never runs more than there are cores.
inline std::vector<cpu_options> thread_settings() {
  std::vector<cpu_options> settings;
  for (const extent threads : {1, 2, 3, 8})
    settings.push_back({.threads = threads, .executor = executor_kind::jthread});
  if (default_executor == executor_kind::tbb) {
    settings.push_back({.threads = 1, .executor = executor_kind::tbb});
    if (available_cores() >= 2) settings.push_back({.threads = 2, .executor = executor_kind::tbb});
  }
  return settings;
}

inline std::string name_of(const cpu_options& o) {
  return std::to_string(o.threads) + (o.executor == executor_kind::tbb ? " of oneTBB" : " of jthread");
}

// Where threads meet: nobody leaves before all expected ones came, or long enough has passed.
class meeting {
 public:
  explicit meeting(std::size_t expected) : expected_(expected) {}

  void come() {
    std::unique_lock lock(mutex_);
    seen_.insert(std::this_thread::get_id());
    if (seen_.size() >= expected_) all_here_.notify_all();
    all_here_.wait_for(lock, std::chrono::seconds(20), [&] { return seen_.size() >= expected_; });
  }
  std::size_t seen() const { return seen_.size(); }

 private:
  std::size_t expected_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::set<std::thread::id> seen_;
};

struct come_to {
  meeting* place;
  void operator()(extent) const { place->come(); }
};

// The number of distinct threads that run a device's chunks.
inline extent threads_of(cpu& device, extent expected) {
  meeting place(static_cast<std::size_t>(expected));
  device.for_each(expected, extent{1} << 30, come_to{&place});
  return static_cast<extent>(place.seen());
}

}  // namespace ul::test
