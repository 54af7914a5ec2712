// What including ul costs a consumer: processor seconds and peak memory of the compiler at -O2, one program at a time.
//   compile_cost [name...]     only the programs whose name contains one of the words

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct program {
  std::string name, text, flags;
  double seconds_allowed, megabytes_allowed;  // the house's budget; 0: none
};

struct cost {
  double seconds = 0, megabytes = 0;
  bool compiled = false;
};

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); }

cost compile(const program& p, const fs::path& directory) {
  const fs::path source = directory / "program.cpp", object = directory / "program.o";
  std::ofstream(source) << p.text;
  const std::string command = std::string("exec ") + UL_CXX + " -std=c++20 -O2 " + UL_INCLUDES + " " + p.flags +
                              " -c " + source.string() + " -o " + object.string();
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child) return {};
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024,
          WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The first program that the README shows.
std::string embedding_program(const fs::path& root) {
  const std::string text = read(root / "README.md"), mark = "```cpp\n";
  const std::size_t begin = text.find(mark);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find("```", begin + mark.size());
  return text.substr(begin + mark.size(), end - begin - mark.size());
}

std::vector<program> programs(const fs::path& root) {
  std::vector<program> list;
  const fs::path include = root / "include";
  for (const char* floor : {"core", "diffusion"}) {
    std::vector<fs::path> headers;
    for (const auto& entry : fs::directory_iterator(include / "ul" / floor)) headers.push_back(entry.path());
    std::sort(headers.begin(), headers.end());
    for (const fs::path& header : headers) {
      const std::string name = header.lexically_relative(include).string();
      const bool scalar = read(header).find("#include <ul/op/") == std::string::npos;
      list.push_back({name, "#include <" + name + ">\n", "", scalar ? 0.35 : 0, 0});
    }
  }
  if (fs::exists(include / "ul/ul.hpp")) list.push_back({"ul.hpp", "#include <ul/ul.hpp>\n", "", 8, 700});
  list.push_back({"embedding program", embedding_program(root), "", 60, 2000});
  const std::string train = read(root / "examples/train.cpp"), own = " -I" + (root / "examples").string();
  if (!train.empty()) {
    list.push_back({"training program", train, "-march=native" + own, 60, 2000});
    list.push_back({"training program, ul::compiled", train, "-march=native -DUL_COMPILED" + own, 0, 0});
  }
  return list;
}

bool chosen(const std::string& name, int count, char** words) {
  for (int i = 1; i < count; ++i)
    if (name.find(words[i]) != std::string::npos) return true;
  return count == 1;
}

}  // namespace

int main(int count, char** words) {
  const fs::path directory = fs::temp_directory_path() / ("ul_compile_cost." + std::to_string(getpid()));
  fs::create_directories(directory);
  std::printf("%-44s %8s %8s   %s\n", "program", "s", "MB", "budget");
  for (const program& p : programs(UL_SOURCE_DIR)) {
    if (!chosen(p.name, count, words)) continue;
    const cost c = compile(p, directory);
    std::printf("%-44s %8.2f %8.0f   ", p.name.c_str(), c.seconds, c.megabytes);
    if (!c.compiled) std::printf("does not compile");
    if (c.compiled && p.seconds_allowed > 0)
      std::printf("%.2f s%s", p.seconds_allowed, c.seconds > p.seconds_allowed ? ", over" : "");
    if (c.compiled && p.megabytes_allowed > 0)
      std::printf(", %.0f MB%s", p.megabytes_allowed, c.megabytes > p.megabytes_allowed ? ", over" : "");
    std::printf("\n");
    std::fflush(stdout);
  }
  fs::remove_all(directory);
}
