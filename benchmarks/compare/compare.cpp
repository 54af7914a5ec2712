// Our kernels against the peers' in one run: rounds of ours and theirs in turn, medians of seven. One thread is timed
// by its processor time, more by the clock; a line whose rounds met much foreign load ends in a star.
//   case, threads, our ms, peer, peer ms, ratio peer / ours, floor, goal

#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>

#include "../clock.hpp"
#include "peer.hpp"

namespace {

using namespace benchmark;

struct options {
  std::string filter, json;
  int rounds = 7;
};

struct bar {
  double floor, goal;
};

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

class comparison {
 public:
  explicit comparison(const options& o) : options_(o) {
    if (!o.json.empty() && (json_ = std::fopen(o.json.c_str(), "w")) == nullptr)
      ul::fail("compare: cannot write ", o.json.c_str());
  }
  ~comparison() {
    if (json_ != nullptr) std::fclose(json_);
  }
  comparison(const comparison&) = delete;

  bool wants(const std::string& name) const { return name.find(options_.filter) != std::string::npos; }

  // Against the fastest of what a peer offers.
  void run(const std::string& name, int threads, bar b, const std::function<void()>& ours,
           const std::vector<peer_work>& theirs) {
    std::erase_if(work_ = theirs, [](const peer_work& w) { return !w.run; });
    if (work_.empty()) return;
    ours();
    for (const peer_work& w : work_) w.run();
    const int repeats = 1 + static_cast<int>(0.04 / (1e-9 + seconds(threads, ours)));
    std::vector<double> mine;
    std::vector<std::vector<double>> others(work_.size());
    double foreign = 0;
    const auto time = [&](const std::function<void()>& f) {
      const double busy = busy_seconds(), own = cpu_seconds(), start = wall_seconds();
      const double t = seconds(threads, [&] {
        for (int i = 0; i < repeats; ++i) f();
      });
      foreign += (busy_seconds() - busy - (cpu_seconds() - own)) / (wall_seconds() - start);
      return t / repeats;
    };
    for (int round = 0; round < options_.rounds; ++round) {
      mine.push_back(time(ours));
      for (std::size_t i = 0; i < work_.size(); ++i) others[i].push_back(time(work_[i].run));
    }
    std::size_t best = 0;
    for (std::size_t i = 1; i < work_.size(); ++i)
      if (median(others[i]) < median(others[best])) best = i;
    const double own = 1e3 * median(mine), other = 1e3 * median(others[best]);
    const bool disturbed = threads > 1 && foreign / options_.rounds / static_cast<double>(1 + work_.size()) > 0.2;
    const char* const peer = work_[best].peer.c_str();
    std::printf("%-34s %d  %9.3f  %-38s %9.3f  %5.2f  %4.2f  %4.2f%s\n", name.c_str(), threads, own, peer, other,
                other / own, b.floor, b.goal, disturbed ? " *" : "");
    std::fflush(stdout);
    if (json_ != nullptr)
      std::fprintf(json_,
                   "{\"case\": \"%s\", \"threads\": %d, \"ours_ms\": %.5g, \"peer\": \"%s\", \"peer_ms\": %.5g, "
                   "\"ratio\": %.4g, \"floor\": %g, \"goal\": %g}\n",
                   name.c_str(), threads, own, peer, other, other / own, b.floor, b.goal);
  }

 private:
  const options& options_;
  std::vector<peer_work> work_;
  std::FILE* json_ = nullptr;
};

// Arrays on the device's memory, filled with normal numbers.
class arrays {
 public:
  explicit arrays(ul::cpu& device) : device_(device) {}
  float* operator()(long count) {
    held_.emplace_back(device_, count);
    device_.normal(held_.back().data(), count, ul::key(held_.size()), 0);
    return held_.back().data();
  }

 private:
  ul::cpu& device_;
  std::deque<ul::scratch<ul::cpu, float>> held_;
};

void compare_gemm(comparison& all, ul::cpu& device, int threads) {
  const long sizes[][3] = {{256, 256, 256},  {512, 512, 512},   {1024, 1024, 1024}, {2048, 2048, 2048},
                           {4096, 256, 256}, {1024, 1536, 384}, {256, 2304, 576},   {16384, 64, 576}};
  for (const auto& [m, n, k] : sizes) {
    const std::string name = "gemm " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
    if (!all.wants(name)) continue;
    arrays array(device);
    const gemm_case c{m, n, k, array(m * k), array(k * n), array(m * n)};
    const auto ours = [&] {
      device.gemm(ul::gemm_args<float>{
          .m = c.m, .n = c.n, .k = c.k, .a = c.a, .lda = c.k, .b = c.b, .ldb = c.n, .c = c.c, .ldc = c.n});
    };
    all.run(name, threads, {0.85, 0.95}, ours, {onednn_gemm(c, threads)});
    all.run(name, threads, {1.05, 1.15}, ours, {eigen_gemm(c, threads)});
  }
}

void compare_conv(comparison& all, ul::cpu& device, int threads) {
  const conv_case sizes[] = {{16, 64, 64}, {16, 32, 128}, {16, 16, 256}, {64, 32, 64}, {64, 14, 64}, {64, 7, 128}};
  const char* const names[] = {"forward", "data", "weights"};
  const bar even[] = {{1.4, 1.7}, {1.4, 1.8}, {0.9, 1.6}}, odd{0.9, 1.3}, winograd{0.7, 0.85};
  for (const conv_case& c : sizes)
    for (const pass p : {pass::forward, pass::data, pass::weights}) {
      const std::string side = std::to_string(c.side), name = "conv " + std::to_string(c.batch) + "x" + side + "x" +
                                                              side + "x" + std::to_string(c.channels) + " " +
                                                              names[static_cast<int>(p)];
      if (!all.wants(name)) continue;
      ul::conv_shape s{.batch = c.batch, .axis = {}, .channels_in = c.channels, .channels_out = c.channels};
      s.axis[1] = s.axis[2] = {.in = c.side, .out = c.side, .kernel = 3, .stride = 1, .pad = 1};
      arrays array(device);
      float *const x = array(c.batch * c.side * c.side * c.channels), *const y =
                                                                          array(c.batch * c.side * c.side * c.channels);
      float* const w = array(9 * c.channels * c.channels);
      const auto ours = [&] {
        switch (p) {
          case pass::forward:
            return device.run(ul::conv_forward<float>{.shape = s, .x = x, .weight = w, .y = y});
          case pass::data:
            return device.run(ul::conv_data<float>{.shape = s, .dy = y, .weight = w, .dx = x});
          case pass::weights:
            return device.run(ul::conv_weights<float>{.shape = s, .x = x, .dy = y, .dweight = w});
        }
      };
      const allocator room = [&](long n) { return array(n); };
      const bar direct = c.side % 4 == 0 ? even[static_cast<int>(p)] : odd;
      all.run(name, threads, direct, ours, onednn_conv(c, p, method::direct, threads, room));
      all.run(name, threads, winograd, ours, onednn_conv(c, p, method::winograd, threads, room));
    }
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  int only = 0;
  CLI::App app("Our kernels against the peers'.");
  app.add_option("--filter", o.filter, "only cases whose names contain this");
  app.add_option("--json", o.json, "also write the lines as JSON to this file");
  app.add_option("--threads", only, "1 or 2; both by default");
  app.add_option("--rounds", o.rounds, "of each case")->capture_default_str()->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    comparison all(o);
    for (const int threads : {1, 2}) {
      if (only != 0 && threads != only) continue;
      ul::cpu device({.threads = threads});
      std::printf("%d thread%s: %.0f GFLOP/s of multiply-adds\n", threads, threads == 1 ? "" : "s",
                  peak_gigaflops(device));
      compare_gemm(all, device, threads);
      compare_conv(all, device, threads);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
}
