#pragma once
// Initial values of parameters.

#include <cmath>
#include <string_view>

#include <ul/core/key.hpp>
#include <ul/core/normal.hpp>
#include <ul/core/uniform.hpp>

namespace ul {

enum class distribution { constant, uniform, normal };

// constant: all `scale`; uniform: in [-scale, scale); normal: of standard deviation `scale`.
struct initialiser {
  distribution kind = distribution::constant;
  double scale = 0;
};

inline constexpr initialiser zeros_init{distribution::constant, 0};
inline constexpr initialiser ones_init{distribution::constant, 1};

// Uniform in +-1/sqrt(fan_in), PyTorch's default for linear and convolution layers.
inline initialiser fan_in_init(extent fan_in) {
  return {distribution::uniform, 1 / std::sqrt(static_cast<double>(fan_in))};
}
inline initialiser normal_init(double deviation) { return {distribution::normal, deviation}; }

// Fills `out` on the host from the key's stream.
template <class T>
void initialise(const initialiser& init, key k, T* out, extent count) {
  if (init.kind == distribution::normal) fill_normal(out, count, k, 0);
  for (extent i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint64_t>(i);
    switch (init.kind) {
      case distribution::constant: out[i] = static_cast<T>(init.scale); break;
      case distribution::uniform: out[i] = static_cast<T>(init.scale * (2 * uniform_at<double>(k, n) - 1)); break;
      case distribution::normal: out[i] *= static_cast<T>(init.scale); break;
    }
  }
}

// FNV-1a, 64 bits: the same number for a path on every machine.
constexpr std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace ul
