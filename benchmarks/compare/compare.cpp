// Our kernels and whole steps against the peers' in one run: rounds of ours and theirs in turn, medians of seven.
//   case, threads, our ms, peer, peer ms, ratio peer / ours, floor, goal     (0: nothing to hold it against)
// Memory is in MiB, and its ratio ours / peer. Peers: oneDNN and Eigen in this process; libtorch, where `compare_torch`
// was built, and PyTorch (peer.py) in processes of their own.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "../clock.hpp"
#include "cases.hpp"
#include "round_trip.hpp"

namespace {

using namespace benchmark;

struct options {
  comparison_options lines;
  int threads = 0;
  std::string python, memory_of;
  bool avx2 = false;
};

// In this process and those it starts.
void hold_peers_to_avx2() {
  for (const auto& [name, value] :
       {std::pair{"ONEDNN_MAX_CPU_ISA", "AVX2"}, std::pair{"DNNL_MAX_CPU_ISA", "AVX2"},
        std::pair{"ATEN_CPU_CAPABILITY", "avx2"}, std::pair{"OPENBLAS_CORETYPE", "Haswell"}})
    setenv(name, value, 1);
}

// What makes Debian's libtorch fast: a BLAS that shares its threads and knows the processor, and memory that is kept
// and comes in large pages.
child::environment tuned(bool avx2) {
  child::environment e{{"GLIBC_TUNABLES",
                        "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold="
                        "17179869184"}};
#ifdef UL_COMPARE_OPENBLAS
  e.emplace_back("LD_LIBRARY_PATH", UL_COMPARE_OPENBLAS);
#endif
#ifdef __x86_64__
  if (!avx2 && __builtin_cpu_supports("avx2")) {
    const bool avx512 = __builtin_cpu_supports("avx512f");
    e.emplace_back("OPENBLAS_CORETYPE", avx512 ? "SkylakeX" : __builtin_cpu_is("amd") ? "Zen" : "Haswell");
    e.emplace_back("ATEN_CPU_CAPABILITY", avx512 ? "avx512" : "avx2");
  }
#endif
  return e;
}

std::vector<peer_command> libtorch_commands(bool avx2) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "compare_torch";
  if (!exists(program)) {
    std::printf("libtorch: left out, no compare_torch beside this program\n");
    return {};
  }
  return {{{program.string()}, tuned(avx2), " tuned"}, {{program.string()}, {}, ""}};
}
std::vector<peer_command> pytorch_commands(const std::string& python) {
  if (python.empty()) {
    std::printf("PyTorch: left out, no --python\n");
    return {};
  }
  return {{{python, UL_COMPARE_PEER}, {}, ""}};
}

void print_distance(int threads) {
  if (threads > 1) std::printf("a cache line goes from core to core and back in %.0f ns\n", round_trip_nanoseconds());
}

void compare(const options& o) {
  if (o.avx2) hold_peers_to_avx2();
  comparison all(o.lines);
  const peer_programs libtorch(libtorch_commands(o.avx2)), pytorch(pytorch_commands(o.python));
  for (const int threads : {1, 2}) {
    if (o.threads != 0 && threads != o.threads) continue;
    ul::cpu device({.threads = threads});
    settle();
    std::printf("%d thread%s: %.0f GFLOP/s of multiply-adds\n", threads, threads == 1 ? "" : "s",
                peak_gigaflops(device));
    print_distance(threads);
    const contest c{all, device, threads, libtorch, pytorch, o.avx2};
    compare_gemm(c);
    compare_conv(c);
    compare_ops(c);
    compare_networks(c);
    print_distance(threads);
  }
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app("Our kernels and whole steps against the peers'.");
  app.add_option("--filter", o.lines.filter, "only cases whose names contain this");
  app.add_option("--json", o.lines.json, "also write the lines as JSON to this file");
  app.add_option("--threads", o.threads, "1 or 2; both by default");
  app.add_option("--rounds", o.lines.rounds, "of each case")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--python", o.python, "a Python that has PyTorch")->envname("UL_COMPARE_PYTHON");
  app.add_flag("--avx2", o.avx2, "hold oneDNN and libtorch to AVX2");
  app.add_option("--memory-of", o.memory_of, "only print the MiB of this network's training")->group("");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (o.memory_of.empty())
      compare(o);
    else
      std::printf("%.1f\n", network_memory(o.memory_of, o.threads));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
}
