#pragma once
// PyTorch's random numbers on the CPU, draw by draw, to replay its runs: torch.manual_seed(seed), then `uniform_` and
// `normal_` or `randn` of float32. Words and uniforms are exact. PyTorch's own normals differ between its builds by a
// few 1e-7 of the radius; these follow its plain path.

#include <cmath>
#include <cstdint>

#include <ul/core/checked.hpp>
#include <ul/core/mt19937.hpp>

namespace ul {

class torch_stream {
 public:
  // Only the lower 32 bits of the seed count, as in PyTorch.
  explicit torch_stream(std::uint64_t seed) : words_(static_cast<std::uint32_t>(seed)) {}

  // One number in [low, high).
  float uniform(float low = 0, float high = 1) { return unit() * (high - low) + low; }

  // out[0..n) = standard normals in memory order. n must be a multiple of 16, at least 16: PyTorch draws other sizes
  // differently. Throws ul::error for such n, before anything is drawn.
  void normal(float* out, extent n) {
    if (n < 16 || n % 16 != 0) fail("torch_stream: normal of ", n, " numbers, expected a multiple of 16, at least 16");
    for (extent i = 0; i < n; ++i) out[i] = unit();
    constexpr extent half = 8;
    for (extent block = 0; block < n; block += 2 * half)
      for (extent j = block; j < block + half; ++j) {
        const float radius = std::sqrt(-2.0f * std::log(1.0f - out[j]));
        const float angle = static_cast<float>(6.283185307179586 * out[j + half]);
        out[j] = radius * std::cos(angle);
        out[j + half] = radius * std::sin(angle);
      }
  }

 private:
  float unit() { return static_cast<float>(words_() & 0xffffffu) * 0x1p-24f; }

  mt19937 words_;
};

}  // namespace ul
