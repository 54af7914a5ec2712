#pragma once
// Tells AddressSanitizer which memory of a pool nobody may touch. In other builds, nothing.

#include <cstddef>

#include <ul/backend/cpu/sanitizers.hpp>

extern "C" {
void __asan_poison_memory_region(const volatile void* p, std::size_t n);
void __asan_unpoison_memory_region(const volatile void* p, std::size_t n);
}

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Unused bytes behind each block, so that an overrun is seen.
inline constexpr std::size_t redzone = address_sanitizer ? 64 : 0;

inline void poison(const void* p, std::size_t n) {
  if constexpr (address_sanitizer) __asan_poison_memory_region(p, n);
}
inline void unpoison(const void* p, std::size_t n) {
  if constexpr (address_sanitizer) __asan_unpoison_memory_region(p, n);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
