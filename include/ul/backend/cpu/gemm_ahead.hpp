#pragma once
// Memory that a product will read soon is asked for while it multiplies.

#include <algorithm>

#include <ul/backend/cpu/gemm_beside.hpp>
#include <ul/core/checked.hpp>
#include <ul/core/config.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Asks for n elements that will be read soon. Whatever calls it must be inlined as well: to GCC a function that does
// nothing else has no effect, and is not called.
template <class T>
UL_INLINE void ask_for(const T* from, extent n) {
  for (extent i = 0; i < n; i += 64 / extent{sizeof(T)}) __builtin_prefetch(from + i, 0, 2);
}

// Where something stands in memory; nowhere in particular if the size, in bytes, is 0.
struct memory_range {
  const char* begin = nullptr;
  extent size = 0;
};

// Two ranges, one after the other, asked for evenly, so many times; at most one cache line each time.
class look_ahead {
 public:
  look_ahead(memory_range first, memory_range second, extent times)
      : range_{first, second},
        step_((std::min)(extent{64}, ceil_div(first.size + second.size, (std::max)(extent{1}, times)))) {}

  // What to ask for the next so many times.
  asking take(extent times) {
    memory_range& r = range_[range_[0].size > 0 ? 0 : 1];
    if (r.size <= 0) return {};
    const char* const at = r.begin;
    r.begin += times * step_;
    r.size -= times * step_;
    return {at, step_};
  }

 private:
  memory_range range_[2];
  extent step_;
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
