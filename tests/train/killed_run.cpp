// A training process killed without warning, again and again, and resumed: it ends with the bits of one that was left
// alone.

#ifdef UL_TRAIN_PROGRAM

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <ul/core/uniform.hpp>
#include <ul/train/checkpoint_list.hpp>

#include <ul/io/read_file.hpp>
#include "../io/support.hpp"

namespace {

using support::contains;

using arguments = std::vector<std::string>;

// Starts the training program; what it says goes to `log`.
::pid_t start(const arguments& given, const std::string& log) {
  std::vector<std::string> words{UL_TRAIN_PROGRAM};
  words.insert(words.end(), given.begin(), given.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const ::pid_t process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  return process;
}

// The exit code; 128 + the signal's number for a process that one ended.
int code_of(::pid_t process) {
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string text_of(const std::string& path) {
  const ul::byte_vector bytes = ul::read_file(path);
  return std::string(ul::as_text(bytes));
}

arguments new_run(const std::string& out, ul::extent steps) {
  arguments all{"--data",  "galaxies:size=16,count=48", "--out",     out,
                "--steps", std::to_string(steps),       "--threads", "1"};
  for (const char* change : {"stage1.batch=4", "stage2.batch=4", "stage1.rate=1e-3", "watch.checkpoint_every=7",
                             "watch.held_out=4", "watch.held_out_every=20", "watch.preview_every=0"}) {
    all.insert(all.end(), {"--set", change});
  }
  return all;
}
arguments resume(const std::string& out) { return {"--resume", out, "--threads", "2"}; }

}  // namespace

TEST_CASE("train: killed at 20 random moments and resumed, it ends as one left alone") {
  const support::scratch d;
  const std::string log = d / "log";
  constexpr ul::extent steps = 60;
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(code_of(start(new_run(d / "straight", steps), log)) == 0);
  const double whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  const std::string run = d / "killed";
  ul::key chance(20);
  int kills = 0, rounds = 0;
  for (; kills < 20 && rounds < 200; ++rounds) {
    const bool there = std::filesystem::exists(run + "/config.json");
    const ::pid_t process = start(there ? resume(run) : new_run(run, steps), log);
    const double wait = whole * ul::uniform_at<double>(chance, static_cast<std::uint64_t>(rounds)) * 0.6;
    std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    ::kill(process, SIGKILL);
    const int code = code_of(process);
    if (code == 128 + SIGKILL) {
      ++kills;
      continue;
    }
    REQUIRE_MESSAGE(code == 0, text_of(log));
    // It came to its end before its time: as it should be, and once more.
    CHECK(text_of(run + "/model.safetensors") == text_of(d / "straight" + "/model.safetensors"));
    std::filesystem::remove_all(run);
  }
  CHECK(kills == 20);
  const bool there = std::filesystem::exists(run + "/config.json");
  REQUIRE_MESSAGE(code_of(start(there ? resume(run) : new_run(run, steps), log)) == 0, text_of(log));
  for (const char* name : {"/model.safetensors", "/metrics.jsonl"})
    CHECK(text_of(run + name) == text_of(d / "straight" + name));
  const std::string last = "/" + ul::list_checkpoints(run).front().name;
  for (const char* name : {"/autoencoder.safetensors", "/stage2.safetensors", "/stage2-training.safetensors"})
    CHECK(text_of(run + last + name) == text_of(d / "straight" + last + name));
  for (const auto& entry : std::filesystem::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    CHECK_MESSAGE(!name.starts_with('.'), name);  // nothing is left lying about
  }
}

TEST_CASE("train: a signal finishes the step and saves") {
  const support::scratch d;
  const std::string log = d / "log", run = d / "run";
  const ::pid_t process = start(new_run(run, 100000), log);
  for (int i = 0; i < 2000 && !std::filesystem::exists(run + "/" + ul::checkpoint_name(7)); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(process, SIGTERM);
  CHECK(code_of(process) == 143);
  CHECK(contains(text_of(log), "stopped at step "));
  CHECK(std::filesystem::exists(run + "/model.safetensors"));
  const ::pid_t again = start(resume(run), log);
  for (int i = 0; i < 2000 && text_of(log).find("resumed at step ") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(again, SIGINT);
  CHECK(code_of(again) == 130);
}

TEST_CASE("train: its exit code says what was wrong") {
  const support::scratch d;
  const std::string log = d / "log", run = d / "run";
  const auto code = [&](const arguments& given) { return code_of(start(given, log)); };
  CHECK(code({"--help"}) == 0);
  CHECK(code({"--stpes", "3"}) == 2);
  CHECK(code({"--resume", run, "--steps", "3"}) == 2);
  CHECK(code({"--out", run, "--set", "stage1.rte=3"}) == 2);
  CHECK(code({"--out", run, "--preset", "fasion"}) == 2);
  CHECK(code({"--out", run, "--stage", "2"}) == 2);
  CHECK(code({"--out", run, "--data", "galaxy"}) == 2);
  CHECK(code({"--out", run, "--data", "idx:" + (d / "nowhere")}) == 4);
  CHECK(code({"--out", run, "--data", "npy:" + log}) == 3);
  CHECK(code({"--resume", run}) == 2);
  CHECK(!std::filesystem::exists(run));
  CHECK(code(new_run(run, 2)) == 0);
  CHECK(code(new_run(run, 2)) == 2);
  CHECK(code(resume(run)) == 0);
  CHECK(code({"--resume", run, "--set", "stage1.rate=0.1"}) == 2);
  // What cannot begin leaves the run that it should have replaced.
  const std::string model = run + "/model.safetensors";
  CHECK(code({"--out", run, "--force", "--stage", "2", "--init-from", model}) == 2);
  CHECK(code({"--out", run, "--force", "--init-from", d / "nowhere"}) == 4);
  CHECK(std::filesystem::exists(model));
  CHECK(code({"--out", run, "--force", "--set", "data=idx:elsewhere"}) == 2);
  const ::pid_t busy = start(new_run(d / "busy", 100000), log);
  for (int i = 0; i < 2000 && !std::filesystem::exists(d / "busy" + "/config.json"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(code(resume(d / "busy")) == 7);
  ::kill(busy, SIGKILL);
  code_of(busy);
  for (const char* text : {"did you mean fashion?", "did you mean stage1.rate?", "did you mean galaxies?",
                           "config differs: stage1.rate: 0.001 -> 0.1", "in use by process", "is not empty"}) {
    CHECK(contains(text_of(log), text));
  }
}

#endif
