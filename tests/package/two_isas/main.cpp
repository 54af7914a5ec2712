#include <cmath>
#include <cstdio>

#include "units.hpp"

int main() {
  if (baseline_layer() == wide_layer()) {
    std::puts("both units share one function");
    return 1;
  }
  const double baseline = baseline_layer()();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  const double wide = wide_layer()();
  std::printf("baseline %.7g, wide %.7g\n", baseline, wide);
  return std::abs(baseline - wide) < 1e-4 ? 0 : 1;
}
