#pragma once
// What the example programs share: one way to parse, to fail and to read data.
//
// Exit code: 0 done, 2 wrong usage or settings, 3 bad data or a bad model, 4 the system refused (files, disk, memory),
// 6 training diverged, 7 another process holds the run; 1 is left to what a program itself judges, and to its own
// flaws.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <new>
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
  const auto failed = [](const char* text, int code) {
    std::cerr << "error: " << text << '\n';
    return code;
  };
  try {
    return work();
  } catch (const ul::error& e) {
    return failed(e.what(), exit_code(e.kind()));
  } catch (const std::bad_alloc&) {
    return failed("out of memory", exit_code(ul::error_kind::system));
  } catch (const std::exception& e) {
    return failed(ul::printable(e.what()).c_str(), 1);
  }
}

inline ul::data_split open_data(const std::string& data) {
  return ul::open_data(data, {.unpack = ul::gunzip, .decode = ul::decode_image});
}

// Before the work whose result goes there: throws ul::error when the file exists and may not be replaced, or could not
// be written.
inline void check_output(const std::string& path, bool force) {
  namespace fs = std::filesystem;
  const std::string name = ul::printable(path);
  std::error_code problem;
  const fs::file_status there = fs::status(path, problem);
  if (!fs::status_known(there)) ul::fail_as(ul::error_kind::system, name, ": ", problem.message());
  if (fs::is_directory(there)) ul::fail(name, ": is a directory, expected a file to write");
  if (fs::exists(there) && !force) ul::fail(name, ": exists, --force replaces it");
  const fs::path parent = fs::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  if (::access((directory + "/.").c_str(), W_OK) != 0) {
    problem = std::error_code(errno, std::generic_category());
    ul::fail_as(ul::error_kind::system, name, ": cannot write into the directory ", ul::printable(directory), ": ",
                problem.message());
  }
}

// Throws ul::error unless the pictures of the data are those the model was made for.
inline void check_pictures(const std::string& data, const ul::extents& pictures, const ul::extents& expected) {
  if (pictures != expected)
    ul::fail_as(ul::error_kind::input, ul::printable(data), ": pictures are ", pictures, ", the model expects ",
                expected);
}
