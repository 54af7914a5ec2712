// Threads and memory of the CPU backend.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ul/backend/cpu/executor.hpp>
#include <ul/backend/cpu/pool.hpp>

using ul::executor, ul::executor_kind, ul::extent, ul::memory_pool;

namespace {

const executor_kind kinds[] = {ul::default_executor, executor_kind::jthread};

// The threads that take part when every one of `n` waits until all have come.
std::size_t distinct_threads(executor& threads, extent n) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::atomic<extent> arrived = 0;
  threads.run(n, [&](extent) {
    {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    }
    ++arrived;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (arrived < n && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  });
  return seen.size();
}

}  // namespace

TEST_CASE("every chunk runs once, on any executor") {
  for (const executor_kind kind : kinds)
    for (const extent n : {0, 1, 2, 3, 8}) {
      executor threads(kind, n);
      if (n > 0) CHECK(threads.threads() == n);
      for (const extent count : {0, 1, 2, 1000}) {
        std::vector<int> ran(static_cast<std::size_t>(count));
        threads.run(count, [&](extent i) { ++ran[static_cast<std::size_t>(i)]; });
        CHECK(std::count(ran.begin(), ran.end(), 1) == count);
      }
    }
}

TEST_CASE("the jthread pool really has as many threads as asked for") {
  for (const extent n : {1, 2, 3, 8}) {
    executor threads(executor_kind::jthread, n);
    CHECK(distinct_threads(threads, n) == static_cast<std::size_t>(n));
  }
}

TEST_CASE("an exception of a body reaches the caller, and the executor goes on") {
  for (const executor_kind kind : kinds)
    for (const extent n : {1, 2, 5}) {
      executor threads(kind, n);
      CHECK_THROWS_WITH_AS(threads.run(100,
                                       [](extent i) {
                                         if (i == 37) throw std::runtime_error("chunk 37");
                                       }),
                           "chunk 37", std::runtime_error);
      std::atomic<extent> sum = 0;
      threads.run(100, [&](extent i) { sum += i; });
      CHECK(sum == 4950);
    }
}

TEST_CASE("a call from inside a body, and calls from several threads") {
  for (const executor_kind kind : kinds) {
    executor threads(kind, 3);
    std::atomic<extent> sum = 0;
    threads.run(10, [&](extent i) { threads.run(10, [&](extent j) { sum += 10 * i + j; }); });
    CHECK(sum == 4950);
    {
      std::vector<std::jthread> callers;
      for (int c = 0; c < 4; ++c)
        callers.emplace_back([&] {
          for (int repeat = 0; repeat < 50; ++repeat) threads.run(20, [&](extent i) { sum += i; });
        });
    }
    CHECK(sum == 4950 + 4 * 50 * 190);
  }
}

TEST_CASE("a bad number of threads") {
  CHECK_THROWS_WITH_AS(executor(executor_kind::jthread, -1), "cpu: -1 threads wanted, expected 0 (all cores) to 4096",
                       ul::error);
  CHECK_THROWS_WITH_AS(executor(executor_kind::jthread, 5000),
                       "cpu: 5000 threads wanted, expected 0 (all cores) to 4096", ul::error);
}

TEST_CASE("the pool aligns, counts, and hands out the last freed first") {
  memory_pool pool;
  struct block {
    void* data;
    extent size;
  };
  std::vector<block> blocks;
  extent total = 0;
  for (const extent size : {0, 1, 63, 64, 65, 1000, 4096, 100000, 3000000, 20000000}) {
    void* const p = pool.allocate(size);
    CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
    if (size > 0) std::memset(p, static_cast<int>(blocks.size()), static_cast<std::size_t>(size));
    blocks.push_back({p, size});
    total += size;
  }
  for (std::size_t b = 0; b < blocks.size(); ++b)  // nobody's memory overlaps another's
    for (extent i = 0; i < blocks[b].size; i += 61) REQUIRE(static_cast<unsigned char*>(blocks[b].data)[i] == b);
  CHECK(pool.bytes_in_use() == total);
  CHECK(pool.bytes_held() >= total);
  for (const block& b : blocks) pool.deallocate(b.data, b.size);
  CHECK(pool.bytes_in_use() == 0);
  CHECK(pool.peak() == total);
  const extent held = pool.bytes_held();

  void* const a = pool.allocate(5000);
  void* const b = pool.allocate(5000);
  pool.deallocate(a, 5000);
  pool.deallocate(b, 5000);
  CHECK(pool.allocate(5000) == b);
  CHECK(pool.allocate(5000) == a);
  void* const big = pool.allocate(20000000);
  CHECK(big == blocks.back().data);
  CHECK(pool.bytes_held() == held);
  pool.deallocate(a, 5000);
  pool.deallocate(b, 5000);
  pool.deallocate(big, 20000000);
  pool.reset_peak();
  CHECK(pool.peak() == 0);
}

TEST_CASE("the pool hands a thread what it freed itself, and else what others freed last") {
  memory_pool pool;
  void* const mine = pool.allocate(5000);
  void* const yours = pool.allocate(5000);
  void* const yours_too = pool.allocate(5000);
  pool.deallocate(mine, 5000);
  std::thread([&] {
    pool.deallocate(yours, 5000);
    pool.deallocate(yours_too, 5000);
    CHECK(pool.allocate(5000) == yours_too);
    pool.deallocate(yours_too, 5000);
  }).join();
  const extent held = pool.bytes_held();
  CHECK(pool.allocate(5000) == mine);
  CHECK(pool.allocate(5000) == yours_too);
  CHECK(pool.allocate(5000) == yours);
  CHECK(pool.bytes_held() == held);
  for (void* const p : {mine, yours, yours_too}) pool.deallocate(p, 5000);
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("a large request borrows a block that is a little too large, and gives it back") {
  constexpr extent mib = extent{1} << 20;
  memory_pool pool;
  void* const large = pool.allocate(9 * mib);
  pool.deallocate(large, 9 * mib);
  const extent held = pool.bytes_held();
  for (int again = 0; again < 2; ++again) {
    void* const borrowed = pool.allocate(8 * mib);
    CHECK(borrowed == large);
    std::memset(borrowed, 1, static_cast<std::size_t>(8 * mib));
    pool.deallocate(borrowed, 8 * mib);
    void* const own = pool.allocate(9 * mib);
    CHECK(own == large);
    std::memset(own, 2, static_cast<std::size_t>(9 * mib));
    pool.deallocate(own, 9 * mib);
  }
  CHECK(pool.bytes_held() == held);
  void* const small = pool.allocate(7 * mib);  // more than a quarter would be lost
  CHECK(small != large);
  void* const first = pool.allocate(8 * mib);
  void* const second = pool.allocate(8 * mib);  // only one block is there to be borrowed
  CHECK(first == large);
  CHECK(second != first);
  pool.deallocate(first, 8 * mib);
  pool.deallocate(second, 8 * mib);
  pool.deallocate(small, 7 * mib);
  CHECK(pool.allocate(9 * mib) == large);
  pool.deallocate(large, 9 * mib);
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("too little memory is one error, and the pool goes on") {
  memory_pool pool(10000);
  void* const p = pool.allocate(6000);
  CHECK_THROWS_WITH_AS(pool.allocate(5000), "cpu: out of memory, 5000 bytes wanted, 6000 of 10000 in use", ul::error);
  CHECK_THROWS_WITH_AS(pool.allocate(-1), "cpu: -1 bytes wanted", ul::error);
  CHECK(pool.bytes_in_use() == 6000);
  void* const q = pool.allocate(4000);
  pool.deallocate(p, 6000);
  pool.deallocate(q, 4000);
  if constexpr (!ul::simd::address_sanitizer && !ul::simd::thread_sanitizer) {  // they end the program instead
    memory_pool unlimited;
    CHECK_THROWS_WITH_AS(unlimited.allocate(extent{1} << 60),
                         "cpu: out of memory, 1152921504606846976 bytes wanted beside 0 in use", ul::error);
  }
  CHECK_THROWS_WITH_AS(memory_pool(-1), "cpu: the memory limit is -1, expected at least 0", ul::error);
}

TEST_CASE("several threads share one pool") {
  memory_pool pool;
  std::atomic<int> clashes = 0;
  {
    std::vector<std::jthread> users;
    for (int t = 1; t <= 4; ++t)
      users.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const extent size = 64 * (1 + (i * 37 + t * 11) % 100);
          const auto p = static_cast<unsigned char*>(pool.allocate(size));
          std::memset(p, t, static_cast<std::size_t>(size));
          for (extent j = 0; j < size; j += 64)
            if (p[j] != t) ++clashes;
          pool.deallocate(p, size);
        }
      });
  }
  CHECK(clashes == 0);
  CHECK(pool.bytes_in_use() == 0);
}

extern "C" int __asan_address_is_poisoned(const volatile void* p);

TEST_CASE("under AddressSanitizer, what is not allocated is poisoned") {
  if constexpr (ul::simd::address_sanitizer) {
    memory_pool pool;
    for (const extent size : {1, 64, 100, 1024, 4096, 9000000}) {
      const auto p = static_cast<char*>(pool.allocate(size));
      CHECK(__asan_address_is_poisoned(p) == 0);
      CHECK(__asan_address_is_poisoned(p + size - 1) == 0);
      CHECK(__asan_address_is_poisoned(p + size) == 1);
      pool.deallocate(p, size);
      CHECK(__asan_address_is_poisoned(p) == 1);
      CHECK(__asan_address_is_poisoned(p + size - 1) == 1);
    }
  }
}
