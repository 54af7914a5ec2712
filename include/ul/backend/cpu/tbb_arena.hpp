#pragma once
// The executor of oneTBB: a private arena, so that neither the caller's TBB nor ours changes the other's threads. TBB
// starts at most as many threads as there are cores. Include it only where <tbb/task_arena.h> exists.

#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("check")
#undef min
#undef max
#undef check
#include <tbb/blocked_range.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#pragma pop_macro("check")
#pragma pop_macro("max")
#pragma pop_macro("min")

#include <algorithm>

#include <ul/backend/cpu/chunk_body.hpp>

namespace ul {
inline namespace UL_ISA {

class tbb_arena {
 public:
  // More threads than cores are not asked for: TBB would refuse them, and say so on the terminal.
  explicit tbb_arena(extent threads)
      : arena_((std::min)(static_cast<int>(threads), tbb::info::default_concurrency())) {}

  // As thread_pool::run(); a call from inside a body shares the arena.
  void run(extent count, chunk_body body) {
    if (count <= 1) {
      for (extent i = 0; i < count; ++i) body(i);
      return;
    }
    arena_.execute([&] {
      tbb::parallel_for(
          tbb::blocked_range<extent>(0, count, 1),
          [&](const tbb::blocked_range<extent>& chunks) {
            for (extent i = chunks.begin(); i < chunks.end(); ++i) body(i);
          },
          tbb::simple_partitioner{});
    });
  }

 private:
  tbb::task_arena arena_;
};

}  // namespace UL_ISA
}  // namespace ul
