#pragma once
// Under a sanitizer everything is some forty times slower; long tests then do less of the same.

#include <ul/backend/cpu/sanitizers.hpp>

namespace ul::test {

inline constexpr bool sanitized = simd::address_sanitizer || simd::thread_sanitizer;

}  // namespace ul::test
