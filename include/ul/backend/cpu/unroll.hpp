#pragma once
// Loops over register tiles, unrolled by the language rather than by the optimiser's mood.

#include <utility>

#include <ul/backend/cpu/isa.hpp>
#include <ul/core/config.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

template <class F, int... I>
UL_INLINE void unroll(std::integer_sequence<int, I...>, F&& f) {
  (f(std::integral_constant<int, I>{}), ...);
}

// f(0), f(1), ... f(N - 1), each with a constant.
template <int N, class F>
UL_INLINE void unroll(F&& f) {
  unroll(std::make_integer_sequence<int, N>{}, f);
}

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
