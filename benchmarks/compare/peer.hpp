#pragma once
// What a peer library offers for a case: a name, and its work as a function. Peers that were not found offer nothing.

#include <functional>
#include <string>
#include <vector>

#include "../stopwatch.hpp"

namespace benchmark {

struct peer_work {
  std::string peer;  // name, version and, where it has several, the setting
  std::function<lap(int repeats)> run;
};

// Work of this process.
inline peer_work here(const std::string& name, int threads, std::function<void()> f) {
  return {name, [threads, f = std::move(f)](int repeats) { return timed(threads, repeats, f); }};
}

// Row-major C (m, n) = A (m, k) B (k, n).
struct gemm_case {
  long m, n, k;
  const float *a, *b;
  float* c;
};

// 3 x 3, stride 1, padding 1, channels last, as many channels out as in.
struct conv_case {
  long batch, side, channels;
};
enum class pass { forward, data, weights };
enum class method { direct, winograd };

// Memory for a peer, of the same kind as our own.
using allocator = std::function<float*(long count)>;

peer_work eigen_gemm(const gemm_case& c, int threads);
peer_work onednn_gemm(const gemm_case& c, int threads);
std::vector<peer_work> onednn_conv(const conv_case& c, pass p, method m, int threads, const allocator& memory);

}  // namespace benchmark
