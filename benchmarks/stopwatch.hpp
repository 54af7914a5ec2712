#pragma once
// Times of code. Needs the standard library only, so that programs of other libraries can include it.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <vector>

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
double seconds(long threads, const F& f) {
  const auto now = threads == 1 ? cpu_seconds : wall_seconds;
  const double start = now();
  f();
  return now() - start;
}

// What several runs of a case took: seconds each, and processor seconds of their process altogether.
struct lap {
  double each, processor;
};
template <class F>
lap timed(long threads, int repeats, const F& f) {
  const double processor = cpu_seconds();
  const double all = seconds(threads, [&] {
    for (int i = 0; i < repeats; ++i) f();
  });
  return {all / repeats, cpu_seconds() - processor};
}

}  // namespace benchmark
