#pragma once
// Who runs the chunks of a kernel, chosen when a device is made. Kernels cut their work into chunks that depend on the
// problem alone, never on the number of threads, so every executor gives the same bits.

#include <memory>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif

#include <ul/backend/cpu/sanitizers.hpp>
#include <ul/backend/cpu/thread_pool.hpp>
#if __has_include(<tbb/task_arena.h>)
#include <ul/backend/cpu/tbb_arena.hpp>
#endif

namespace ul {

enum class executor_kind { tbb, jthread };

inline namespace UL_ISA {

#if __has_include(<tbb/task_arena.h>)
// ThreadSanitizer does not see what TBB's library does, and takes it for races.
inline constexpr executor_kind default_executor = simd::thread_sanitizer ? executor_kind::jthread : executor_kind::tbb;
#else
inline constexpr executor_kind default_executor = executor_kind::jthread;
#endif

// The cores this process may run on.
inline extent available_cores() {
#if defined(__linux__)
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
  const extent n = static_cast<extent>(std::thread::hardware_concurrency());
  return n > 0 ? n : 1;
}

class executor {
 public:
  // threads = 0 means one for each available core.
  executor(executor_kind kind, extent threads) : threads_(threads == 0 ? available_cores() : threads) {
    if (threads < 0 || threads > 4096) fail("cpu: ", threads, " threads wanted, expected 0 (all cores) to 4096");
    if (threads_ == 1) return;
    if (kind == executor_kind::jthread) {
      pool_ = std::make_unique<thread_pool>(threads_);
      return;
    }
#if __has_include(<tbb/task_arena.h>)
    arena_ = std::make_unique<tbb_arena>(threads_);
#else
    fail("cpu: the oneTBB executor needs the oneTBB headers; executor_kind::jthread does not");
#endif
  }

  extent threads() const { return threads_; }

  // body(i) for each i in [0, count), in any order, on any of the threads; returns when all are done, and throws what a
  // body threw.
  void run(extent count, chunk_body body) {
    if (pool_) return pool_->run(count, body);
#if __has_include(<tbb/task_arena.h>)
    if (arena_) return arena_->run(count, body);
#endif
    for (extent i = 0; i < count; ++i) body(i);
  }

 private:
  extent threads_;
  std::unique_ptr<thread_pool> pool_;
#if __has_include(<tbb/task_arena.h>)
  std::unique_ptr<tbb_arena> arena_;
#endif
};

}  // namespace UL_ISA
}  // namespace ul
