#pragma once
// What this process has in memory, by the system's account.

#include <cstdio>
#include <cstring>
#include <functional>

namespace benchmark {

// A field of /proc/self/status in MiB: "VmRSS:" now, "VmHWM:" the most so far.
inline double status_mib(const char* field) {
  double kib = 0;
  char line[256];
  if (std::FILE* f = std::fopen("/proc/self/status", "r")) {
    while (std::fgets(line, sizeof line, f) != nullptr)
      if (std::strncmp(line, field, std::strlen(field)) == 0) std::sscanf(line + std::strlen(field), "%lf", &kib);
    std::fclose(f);
  }
  return kib / 1024;
}

// MiB at most in use in three steps, the first ones of this process, above those in use before.
inline double peak_mib(const std::function<void()>& step) {
  const double start = status_mib("VmRSS:");
  for (int i = 0; i < 3; ++i) step();
  return status_mib("VmHWM:") - start;
}

}  // namespace benchmark
