#pragma once
// The directory of one training run: its resolved settings, its metrics and its checkpoints, locked against a second
// process for as long as the object lives, however it ends.
//
//   ul::run_directory run = resume ? ul::run_directory::open(path) : ul::run_directory::create(path, config);
//   ul::checkpoint_writer writer(run.path(), run.config());

#include <sys/file.h>

#include <ul/io/as_input.hpp>
#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/io/read_file.hpp>
#include <ul/io/write_file.hpp>
#include <ul/train/checkpoint_list.hpp>

namespace ul {

// What to do about a run that is there already.
enum class existing_run { refuse, replace };

class run_directory {
 public:
  // Starts a run in a directory that is new or empty; to replace one is to remove its settings, metrics, model,
  // previews and checkpoints, and nothing else. Throws ul::error naming the path and the reason, also when another
  // process holds it.
  static run_directory create(const std::string& path, json config, existing_run existing = existing_run::refuse) {
    std::error_code problem;
    std::filesystem::create_directories(path, problem);
    if (problem) detail::fail_system(path, "cannot create", problem.value());
    run_directory run(path);
    if (existing == existing_run::replace) run.remove_run();
    for (std::filesystem::directory_iterator at(path, problem); !problem && at != std::filesystem::directory_iterator();
         at.increment(problem)) {
      const std::string name = at->path().filename().string();
      const bool content = name != lock_name && !name.starts_with('.');
      if (existing == existing_run::refuse && content) {
        fail(printable(path), ": is not empty (", printable(name),
             "), expected a new directory; resume the run, or replace it");
      }
    }
    write_file(run / config_name, to_text(config, 2) + '\n');
    run.config_ = std::move(config);
    return run;
  }

  // Goes on with a run. Throws ul::error when there is none, its settings are damaged, or another process holds it.
  static run_directory open(const std::string& path) {
    std::error_code problem;
    if (!std::filesystem::exists(path + "/" + config_name, problem)) {
      fail(printable(path), ": is not the directory of a run: there is no ", config_name);
    }
    run_directory run(path);
    run.config_ = as_input(run / config_name, [&] { return read_json(run / config_name); });
    clean_checkpoints(path);
    remove_temporaries(path);
    remove_temporaries(run / previews_name);
    return run;
  }

  const std::string& path() const { return path_; }
  const json& config() const { return config_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  static constexpr const char* config_name = "config.json";
  static constexpr const char* metrics_name = "metrics.jsonl";
  static constexpr const char* model_name = "model.safetensors";
  static constexpr const char* previews_name = "previews";

 private:
  static constexpr const char* lock_name = "lock";

  explicit run_directory(std::string path) : path_(std::move(path)) {
    const std::string file = *this / lock_name;
    lock_ = detail::descriptor(::open(detail::system_path(file), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!lock_.is_open()) detail::fail_system(file, "cannot open", errno);
    char text[32] = {};
    if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) detail::fail_system(file, "cannot lock", errno);
      const ::ssize_t got = ::pread(lock_.number(), text, sizeof text - 1, 0);
      fail_as(error_kind::locked, printable(path_), ": in use by process ",
              printable({text, static_cast<std::size_t>((std::max)(got, ::ssize_t{0}))}));
    }
    // The number is only a hint for people; the lock is the system's, and goes when its holder does.
    const std::string process = std::to_string(::getpid());
    const bool told = ::ftruncate(lock_.number(), 0) == 0 && ::pwrite(lock_.number(), process.data(), process.size(),
                                                                      0) == static_cast<::ssize_t>(process.size());
    static_cast<void>(told);
  }

  void remove_run() {
    std::error_code ignored;
    clean_checkpoints(path_);
    for (const checkpoint_place& place : list_checkpoints(path_))
      std::filesystem::remove_all(*this / place.name, ignored);
    for (const char* name : {metrics_name, model_name, config_name}) std::filesystem::remove(*this / name, ignored);
    std::filesystem::remove_all(*this / previews_name, ignored);
  }

  // What a crash left of files that were being written (io/write_file.hpp).
  static void remove_temporaries(const std::string& directory) {
    std::error_code problem, ignored;
    std::vector<std::filesystem::path> stale;
    for (std::filesystem::directory_iterator at(directory, problem);
         !problem && at != std::filesystem::directory_iterator(); at.increment(problem)) {
      if (at->path().filename().string().starts_with(".tmp-")) stale.push_back(at->path());
    }
    for (const auto& path : stale) std::filesystem::remove(path, ignored);
  }

  std::string path_;
  json config_;
  detail::descriptor lock_;
};

}  // namespace ul
