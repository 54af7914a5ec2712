#pragma once
// Metrics as JSON lines: one object in one line for each call, whole or not there at all.
//
//   ul::metrics_log log(run / "metrics.jsonl", {.last_step = resumed_at});
//   log.append(ul::to_json(report));

#include <sys/stat.h>

#include <ul/io/json_reader.hpp>
#include <ul/io/json_writer.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

struct metrics_options {
  extent last_step = extent_max;  // lines of later steps are dropped: a resumed run writes them again
};

class metrics_log {
 public:
  // Continues a file or makes one; what a crash left of a last line is dropped. Throws ul::error naming path and
  // reason.
  explicit metrics_log(std::string path, const metrics_options& options = {}) : path_(std::move(path)) {
    file_ = detail::descriptor(::open(detail::system_path(path_), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
    if (!file_.is_open()) detail::fail_system(path_, "cannot open", errno);
    struct ::stat status;
    if (::fstat(file_.number(), &status) != 0) detail::fail_system(path_, "cannot read its size", errno);
    if (!S_ISREG(status.st_mode)) fail(printable(path_), ": not a regular file");
    if (status.st_size == 0) return;
    const byte_vector bytes = read_file(path_);
    size_ = kept(as_text(bytes), options.last_step);
    if (size_ != status.st_size && ::ftruncate(file_.number(), size_) != 0)
      detail::fail_system(path_, "cannot cut", errno);
  }

  // Adds one line, at once visible to other processes. Throws ul::error naming path and reason, such as a full disk;
  // the lines before it are then as they were, and the next call may succeed.
  void append(const json& object) {
    const std::string line = to_text(object) + '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
      const ::ssize_t wrote = ::write(file_.number(), rest.data(), rest.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        const int reason = errno;
        if (::ftruncate(file_.number(), size_) != 0) detail::fail_system(path_, "cannot cut", errno);
        detail::fail_system(path_, "cannot write", reason);
      }
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    size_ += static_cast<extent>(line.size());
  }

 private:
  // The bytes of the whole lines up to the first one of a later step. A line that says no step stays.
  static extent kept(std::string_view text, extent last_step) {
    std::size_t size = 0;
    for (std::size_t end; (end = text.find('\n', size)) != text.npos; size = end + 1) {
      try {
        const json* step = nullptr;
        const json line = parse_json(text.substr(size, end - size));
        if ((step = line.find("step")) != nullptr && step->integer<extent>() > last_step) break;
      } catch (const error&) {
      }
    }
    return static_cast<extent>(size);
  }

  std::string path_;
  detail::descriptor file_;
  extent size_ = 0;
};

}  // namespace ul
