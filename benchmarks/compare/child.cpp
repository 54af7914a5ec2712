#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ul/core/error.hpp>

namespace benchmark {

namespace {

// The variables of this process with the changes made.
std::vector<std::string> changed_environment(const child::environment& changes) {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) {
    bool kept = true;
    for (const auto& [name, value] : changes) kept = kept && std::string(*e).rfind(name + "=", 0) != 0;
    if (kept) all.emplace_back(*e);
  }
  for (const auto& [name, value] : changes) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> p;
  for (std::string& s : strings) p.push_back(s.data());
  p.push_back(nullptr);
  return p;
}

std::vector<std::string> parts(const std::string& line) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find('\t', at), line.size());
    all.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

std::vector<std::string> settings_of(child& c, const std::string& name, int threads) {
  return parts(c.ask("case\t" + name + "\t" + std::to_string(threads)));
}

}  // namespace

child::child(const std::vector<std::string>& command, const environment& changes) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) ul::fail("compare: no pipes for ", command[0].c_str());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> arguments = command, variables = changed_environment(changes);
  const int error = posix_spawnp(&pid_, command[0].c_str(), &actions, nullptr, pointers(arguments).data(),
                                 pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
  if (error != 0) {
    std::fclose(to_);
    std::fclose(from_);
    ul::fail("compare: ", command[0].c_str(), " does not start: ", std::strerror(error));
  }
}

child::~child() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

std::string child::answer() {
  std::string line;
  int c = 0;
  while ((c = std::fgetc(from_)) != EOF && c != '\n') line.push_back(static_cast<char>(c));
  if (c == EOF) ul::fail("compare: a peer's program has ended");
  if (line.rfind("error", 0) == 0) ul::fail("compare: ", line.c_str());
  return line;
}

std::string child::ask(const std::string& line) {
  std::fprintf(to_, "%s\n", line.c_str());
  std::fflush(to_);
  return answer();
}

peer_programs::peer_programs(const std::vector<peer_command>& ways) {
  for (const peer_command& w : ways) {
    try {
      const auto process = std::make_shared<child>(w.command, w.changes);
      programs_.push_back({w, process, process->answer() + w.note});
    } catch (const std::exception& e) {
      std::printf("%s: left out\n", e.what());
    }
  }
}

std::vector<peer_work> peer_programs::works(const std::string& name, int threads, const std::string& only) const {
  std::vector<peer_work> all;
  for (const running& p : programs_) {
    const auto settings = settings_of(*p.process, name, threads);
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (settings[i].find(only) == std::string::npos) continue;
      const peer_work w{p.name + ", " + settings[i], [process = p.process, i](int repeats) {
                          const std::string line =
                              process->ask("run\t" + std::to_string(i) + "\t" + std::to_string(repeats));
                          lap t{};
                          if (std::sscanf(line.c_str(), "%lf %lf", &t.each, &t.processor) != 2)
                            ul::fail("compare: a peer answers ", line.c_str());
                          return t;
                        }};
      try {
        w.run(1);
        all.push_back(w);
      } catch (const std::exception& e) {
        std::printf("%s, %s: left out: %s\n", name.c_str(), w.peer.c_str(), e.what());
      }
    }
  }
  return all;
}

std::vector<peer_programs::memory_use> peer_programs::memory(const std::string& name, int threads) const {
  std::vector<memory_use> all;
  for (const running& p : programs_) {
    const auto settings = settings_of(*p.process, name, threads);
    for (std::size_t i = 0; i < settings.size(); ++i) {
      child fresh(p.how.command, p.how.changes);
      fresh.answer();
      settings_of(fresh, name, threads);
      all.push_back({p.name + ", " + settings[i], std::atof(fresh.ask("memory\t" + std::to_string(i)).c_str())});
    }
  }
  return all;
}

}  // namespace benchmark
