#include "comparison.hpp"

#include <chrono>
#include <thread>

#include <ul/core/error.hpp>

namespace benchmark {

namespace {

// Seconds of all processors since the machine started that were not idle.
double busy_seconds() {
  double busy = 0;
  if (std::FILE* f = std::fopen("/proc/stat", "r")) {
    long user = 0, nice = 0, system = 0;
    if (std::fscanf(f, "cpu %ld %ld %ld", &user, &nice, &system) == 3)
      busy = static_cast<double>(user + nice + system) / 100;
    std::fclose(f);
  }
  return busy;
}

// Wakes threads that sleep, and gives the system time to spread them over the cores: now and then it leaves them on one
// for tens of milliseconds. Gives up after half a second: some peers use one thread whatever they may.
void warm_up(const peer_work& work, int repeats, int threads) {
  for (const double first = wall_seconds(); wall_seconds() - first < 0.5;) {
    const double start = wall_seconds();
    const double processors = work.run(repeats).processor / (wall_seconds() - start);
    if (processors > 0.5 * threads + 0.4) return;
  }
}

}  // namespace

void settle() {
  for (int i = 0; i < 50; ++i) {
    const double busy = busy_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    if (busy_seconds() - busy < 0.02) return;
  }
}

comparison::comparison(const comparison_options& o) : options_(o) {
  if (!o.json.empty() && (json_ = std::fopen(o.json.c_str(), "w")) == nullptr)
    ul::fail("compare: cannot write ", o.json.c_str());
}
comparison::~comparison() {
  if (json_ != nullptr) std::fclose(json_);
}

void comparison::run(const std::string& name, int threads, bar b, const std::function<void()>& ours,
                     const std::vector<peer_work>& theirs) {
  std::vector<peer_work> all{here("", threads, ours)};
  for (const peer_work& w : theirs)
    if (w.run) all.push_back(w);
  if (all.size() == 1) return;
  for (const peer_work& w : all) w.run(1);
  const int repeats = 1 + static_cast<int>(0.04 / (1e-9 + all[0].run(1).each));
  std::vector<std::vector<double>> times(all.size());
  double foreign = 0;
  for (int round = 0; round < options_.rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      settle();
      if (repeats > 1) warm_up(all[i], repeats, threads);
      const double busy = busy_seconds(), start = wall_seconds();
      const lap t = all[i].run(repeats);
      foreign += (busy_seconds() - busy - t.processor) / (wall_seconds() - start);
      times[i].push_back(t.each);
    }
  std::size_t best = 1;
  for (std::size_t i = 2; i < all.size(); ++i)
    if (median(times[i]) < median(times[best])) best = i;
  const double own = 1e3 * median(times[0]), other = 1e3 * median(times[best]);
  const bool disturbed = threads > 1 && foreign / options_.rounds / static_cast<double>(all.size()) > 0.2;
  line(name, threads, own, all[best].peer, other, other / own, b, disturbed ? " *" : "");
}

void comparison::line(const std::string& name, int threads, double ours, const std::string& peer, double theirs,
                      double ratio, bar b, const char* mark) {
  std::printf("%-34s %d  %9.3f  %-38s %9.3f  %5.2f  %4.2f  %4.2f%s\n", name.c_str(), threads, ours, peer.c_str(),
              theirs, ratio, b.floor, b.goal, mark);
  std::fflush(stdout);
  if (json_ == nullptr) return;
  std::fprintf(json_,
               "{\"case\": \"%s\", \"threads\": %d, \"ours_ms\": %.5g, \"peer\": \"%s\", \"peer_ms\": %.5g, "
               "\"ratio\": %.4g, \"floor\": %g, \"goal\": %g}\n",
               name.c_str(), threads, ours, peer.c_str(), theirs, ratio, b.floor, b.goal);
  std::fflush(json_);
}

}  // namespace benchmark
