#pragma once
// Peers that cannot live in this process: programs that answer lines. A program says its name and version, and then
//   case <tab> NAME <tab> THREADS    its settings for the case, separated by tabs; an empty line: it has none
//   run <tab> I <tab> REPEATS        seconds of each run with setting I, and processor seconds of all of them
//   memory <tab> I                   MiB at most in use in three runs with setting I, above those before the first;
//                                    compare_torch only
// An answer that starts with "error" says why there is none.

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "peer.hpp"

namespace benchmark {

// A process whose standard input and output are held. Throws ul::error when it does not start or does not answer.
class child {
 public:
  using environment = std::vector<std::pair<std::string, std::string>>;

  child(const std::vector<std::string>& command, const environment& changes);
  ~child();
  child(const child&) = delete;

  std::string answer();
  std::string ask(const std::string& line);

 private:
  pid_t pid_ = 0;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

// How a peer's program is started.
struct peer_command {
  std::vector<std::string> command;
  child::environment changes;
  std::string note;  // follows the peer's name
};

// One peer, started in several ways of which the fastest counts.
class peer_programs {
 public:
  // Says so where a program does not start, and does without it.
  explicit peer_programs(const std::vector<peer_command>& ways);

  // A work for every setting whose name contains `only`, run once already.
  std::vector<peer_work> works(const std::string& name, int threads, const std::string& only = "") const;

  struct memory_use {
    std::string peer;
    double mib;
  };
  // Of every setting, each in a process of its own.
  std::vector<memory_use> memory(const std::string& name, int threads) const;

 private:
  struct running {
    peer_command how;
    std::shared_ptr<child> process;
    std::string name;
  };
  std::vector<running> programs_;
};

}  // namespace benchmark
