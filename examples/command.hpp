#pragma once
// What the example programs share: one way to parse, to fail and to read data.
//
// Exit code: 0 done, 2 wrong usage or settings, 3 bad data or a bad model, 4 the system refused (files, disk),
// 6 training diverged, 7 another process holds the run.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <ul/data/open.hpp>
#include <ul/io/gzip.hpp>
#include <ul/io/image_file.hpp>

inline int exit_code(ul::error_kind kind) {
  switch (kind) {
    case ul::error_kind::input:
      return 3;
    case ul::error_kind::system:
      return 4;
    case ul::error_kind::diverged:
      return 6;
    case ul::error_kind::locked:
      return 7;
    default:
      return 2;
  }
}

// Parses the arguments and does the work, a function that returns the exit code.
template <class Work>
int run_command(CLI::App& app, int argc, char** argv, Work work) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return work();
  } catch (const ul::error& e) {
    std::cerr << "error: " << e.what() << '\n';
    return exit_code(e.kind());
  }
}

inline ul::data_split open_data(const std::string& data) {
  return ul::open_data(data, {.unpack = ul::gunzip, .decode = ul::decode_image});
}

// Throws ul::error when the file exists and may not be replaced.
inline void check_output(const std::string& path, bool force) {
  if (std::filesystem::exists(path) && !force) ul::fail(path, ": exists, --force replaces it");
}
