#pragma once
// The lines of one run of `compare`.

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "peer.hpp"

namespace benchmark {

struct comparison_options {
  std::string filter, json;
  int rounds = 7;
};

// What the ratio of a case is held against; 0: nothing.
struct bar {
  double floor = 0, goal = 0;
};

// Waits, two seconds at most, until nothing runs: the threads of OpenMP keep a processor busy for a while after their
// work is done, which is fine in their own turn, but not in that of others.
void settle();

class comparison {
 public:
  // Throws ul::error when the JSON file cannot be written.
  explicit comparison(const comparison_options& o);
  ~comparison();
  comparison(const comparison&) = delete;

  bool wants(const std::string& name) const { return name.find(options_.filter) != std::string::npos; }

  // Times ours against the fastest of what a peer offers, in turn. One thread is timed by its processor time, more by
  // the clock; the line of rounds that met much foreign load ends in a star.
  void run(const std::string& name, int threads, bar b, const std::function<void()>& ours,
           const std::vector<peer_work>& theirs);

  // One line: two figures and their ratio.
  void line(const std::string& name, int threads, double ours, const std::string& peer, double theirs, double ratio,
            bar b, const char* mark = "");

 private:
  comparison_options options_;
  std::FILE* json_ = nullptr;
};

}  // namespace benchmark
