#pragma once
// What the tests of the CPU's kernels share: the options of a device, and the unit of rounding of its numbers.

#include <type_traits>

#include <ul/backend/cpu.hpp>

#include "support.hpp"

namespace support {

inline ul::cpu_options with_threads(ul::extent n) { return {.threads = n, .executor = ul::executor_kind::jthread}; }

template <class T>
inline constexpr double unit = std::is_same_v<T, double> ? 2.3e-16 : 1.2e-7;

}  // namespace support
