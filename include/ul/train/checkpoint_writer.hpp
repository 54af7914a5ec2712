#pragma once
// Checkpoints of a run. At every instant, a crash, a power cut or a full disk included, a reader finds a complete old
// or a complete new one: files go into a hidden directory, each forced to the disk, the manifest last, and the
// directory then takes its name in one step. Older ones are removed only after that.
//
//   ul::checkpoint_writer writer(run.path(), run.config(), {.keep = 3});
//   writer.save(step, ul::json::object{{"position", position}}, {{"model", tensors}, {"optimiser", moments}});

#include <ul/io/safetensors_writer.hpp>
#include <ul/train/checkpoint_list.hpp>
#include <ul/train/checkpoint_manifest.hpp>
#include <ul/train/durable_file.hpp>

namespace ul {

// One file of a checkpoint, "<name>.safetensors". The elements of the tensors are somebody else's.
struct checkpoint_part {
  std::string name;
  std::vector<safetensors_tensor> tensors;
  safetensors_metadata metadata = {};
};

struct checkpoint_options {
  extent keep = 3;        // of the latest; at least 1
  extent keep_every = 0;  // beside those, every step that is a multiple of it; 0 for none
  extent attempts = 3;    // `try_save` gives up after so many failures in a row
};

template <class System = system_calls>
class checkpoint_writer {
 public:
  // `run` is a directory that exists and that nobody else writes to (run_directory.hpp); `config` goes into every
  // manifest. Throws ul::error for options out of range.
  checkpoint_writer(std::string run, json config, const checkpoint_options& options = {}, System system = {})
      : run_(std::move(run)), config_(std::move(config)), options_(options), system_(std::move(system)) {
    if (options.keep < 1) fail("checkpoint: keep is ", options.keep, ", expected at least 1");
    if (options.keep_every < 0) fail("checkpoint: keep_every is ", options.keep_every, ", expected at least 0");
    if (options.attempts < 1) fail("checkpoint: attempts is ", options.attempts, ", expected at least 1");
  }

  // Writes a checkpoint and returns its path. Throws ul::error naming file and reason; the older ones are then as they
  // were, and no half of the new one is left.
  std::string save(extent step, const json& state, const std::vector<checkpoint_part>& parts) {
    if (step < 0) fail("checkpoint: step is ", step, ", expected at least 0");
    const std::string name = free_name(step);
    const std::string hidden = run_ + "/.saving-" + name, path = run_ + "/" + name;
    std::error_code ignored;
    std::filesystem::remove_all(hidden, ignored);
    check_space(parts);
    if (system_.make_directory(hidden) != 0) detail::fail_system(hidden, "cannot create", errno);
    try {
      write_files(hidden, step, state, parts);
      sync_directory(system_, hidden);
      if (system_.rename(hidden, path) != 0) detail::fail_system(hidden, "cannot rename", errno);
    } catch (...) {
      std::filesystem::remove_all(hidden, ignored);
      throw;
    }
    sync_directory(system_, run_);
    remove_old(step);
    return path;
  }

  // The same for training that had better go on when a disk is full for a while: an empty text after success, else the
  // reason. Throws ul::error after too many failures in a row.
  std::string try_save(extent step, const json& state, const std::vector<checkpoint_part>& parts) {
    try {
      save(step, state, parts);
      failures_ = 0;
      return "";
    } catch (const error& e) {
      if (++failures_ >= options_.attempts) {
        fail_as(e.kind(), "checkpoint: ", failures_, " failures in a row, the last: ", e.what());
      }
      return e.what();
    }
  }

 private:
  std::string free_name(extent step) const {
    extent copy = 0;
    for (const checkpoint_place& place : list_checkpoints(run_)) {
      if (place.step == step) copy = (std::max)(copy, place.copy + 1);
    }
    return checkpoint_name(step, copy);
  }

  // A full disk is told before anything is written.
  void check_space(const std::vector<checkpoint_part>& parts) {
    extent needed = 1 << 16;
    for (const checkpoint_part& part : parts) {
      for (const safetensors_tensor& t : part.tensors) {
        needed = checked_add(needed, static_cast<extent>(t.bytes.size()) + 256, "checkpoint");
      }
    }
    const long long free = system_.free_bytes(run_);
    if (free >= 0 && free < needed) {
      fail_as(error_kind::system, printable(run_), ": no space left on device: a checkpoint needs ", needed, " bytes, ",
              free, " are free");
    }
  }

  void write_files(const std::string& directory, extent step, const json& state,
                   const std::vector<checkpoint_part>& parts) {
    checkpoint_manifest manifest{step, config_, state, {}};
    std::vector<std::string> names;
    for (const checkpoint_part& part : parts) names.push_back(part.name + ".safetensors");
    detail::check_file_names("checkpoint", names);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      durable_file<System> file(system_, directory + "/" + names[i]);
      put_safetensors(file, parts[i].tensors, parts[i].metadata);
      file.finish();
      manifest.files.push_back({names[i], file.size(), file.checksum()});
    }
    durable_file<System> file(system_, directory + "/" + checkpoint_manifest::name);
    file.write(as_bytes(to_text(manifest)));
    file.finish();
  }

  // Those of later steps are no part of this run's history (a resume passed them over) and do not count. Failing to
  // remove costs space, nothing else.
  void remove_old(extent step) {
    extent seen = 0;
    for (const checkpoint_place& place : list_checkpoints(run_)) {
      if (place.step > step || ++seen <= options_.keep) continue;
      if (options_.keep_every > 0 && place.step % options_.keep_every == 0) continue;
      const std::string removed = run_ + "/.removed-" + place.name;
      std::error_code ignored;
      // In one step, so that no half of it ever looks like a checkpoint.
      if (system_.rename(run_ + "/" + place.name, removed) == 0) std::filesystem::remove_all(removed, ignored);
    }
  }

  std::string run_;
  json config_;
  checkpoint_options options_;
  System system_;
  extent failures_ = 0;
};

}  // namespace ul
