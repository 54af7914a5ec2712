#pragma once
// The executor of std::jthreads: any number of threads, whatever the number of cores, and nothing hidden from a race
// detector. run() may be called from several threads at once; a call from inside a body runs inline.

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <ul/backend/cpu/chunk_body.hpp>

namespace ul {
inline namespace UL_ISA {

class thread_pool {
 public:
  // The caller of run() is one of the threads. Throws ul::error when the system refuses a thread.
  explicit thread_pool(extent threads) {
    workers_.reserve(static_cast<std::size_t>(threads));
    try {
      while (static_cast<extent>(workers_.size()) + 1 < threads)
        workers_.emplace_back([this](std::stop_token stop) { serve(stop); });
    } catch (const std::system_error&) {
      fail("cpu: the system started ", workers_.size() + 1, " of ", threads, " threads");
    }
  }

  // body(i) for each i in [0, count). Throws what a body throws first; later chunks are then skipped.
  void run(extent count, chunk_body body) {
    if (count <= 1 || workers_.empty() || is_inside()) {
      for (extent i = 0; i < count; ++i) body(i);
      return;
    }
    job current{body, count, std::this_thread::get_id()};
    {
      const std::lock_guard lock(mutex_);
      current.next_job = jobs_;
      jobs_ = &current;
    }
    wake_.notify_all();
    work(current);
    std::unique_lock lock(mutex_);
    for (job** link = &jobs_; *link != nullptr; link = &(*link)->next_job)
      if (*link == &current) {
        *link = current.next_job;
        break;
      }
    idle_.wait(lock, [&] { return current.helpers == 0; });
    if (current.failure) std::rethrow_exception(current.failure);
  }

 private:
  struct job {
    chunk_body body;
    extent count;
    std::thread::id owner;
    std::atomic<extent> next = 0;
    extent helpers = 0;  // workers inside work(), guarded by mutex_
    std::exception_ptr failure = nullptr;
    job* next_job = nullptr;
  };

  bool is_inside() {
    const auto self = std::this_thread::get_id();
    for (const auto& worker : workers_)
      if (worker.get_id() == self) return true;
    const std::lock_guard lock(mutex_);
    for (const job* j = jobs_; j != nullptr; j = j->next_job)
      if (j->owner == self) return true;
    return false;
  }

  job* open_job() {
    for (job* j = jobs_; j != nullptr; j = j->next_job)
      if (j->next.load(std::memory_order_relaxed) < j->count) return j;
    return nullptr;
  }

  void work(job& j) {
    for (;;) {
      const extent i = j.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= j.count) return;
      try {
        j.body(i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!j.failure) j.failure = std::current_exception();
        j.next.store(j.count, std::memory_order_relaxed);
      }
    }
  }

  void serve(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    job* j = nullptr;
    while (wake_.wait(lock, stop, [&] { return (j = open_job()) != nullptr; })) {
      ++j->helpers;
      lock.unlock();
      work(*j);
      lock.lock();
      if (--j->helpers == 0) idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable idle_;
  job* jobs_ = nullptr;
  std::vector<std::jthread> workers_;  // last, so that they have ended before the rest goes
};

}  // namespace UL_ISA
}  // namespace ul
