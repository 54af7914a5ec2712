#pragma once
// Kernels that must see a whole sample before they can finish any part of it.

#include <ul/backend/cpu/map.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// For each of `batch` samples: gather(sample, run) for each of its runs, then finish(sample), then spread(sample, run)
// for each of its runs. `work` is about how many scalar operations a run takes. With enough samples each is done in one
// go by one thread, while it is still in the cache; otherwise the threads share the runs. The calls are the same.
template <class Gather, class Finish, class Spread>
void run_phases(executor& threads, extent batch, extent runs, extent work, const Gather& gather, const Finish& finish,
                const Spread& spread) {
  if (batch >= threads.threads())
    return for_each_on(threads, batch, runs * work, [&](extent b) {
      for (extent r = 0; r < runs; ++r) gather(b, r);
      finish(b);
      for (extent r = 0; r < runs; ++r) spread(b, r);
    });
  for_each_on(threads, batch * runs, work, [&](extent i) { gather(i / runs, i % runs); });
  for (extent b = 0; b < batch; ++b) finish(b);
  for_each_on(threads, batch * runs, work, [&](extent i) { spread(i / runs, i % runs); });
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
