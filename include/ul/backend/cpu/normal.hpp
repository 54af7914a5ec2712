#pragma once
// The verb normal on the CPU: the numbers of core/normal.hpp, bit for bit, many blocks of words at a time.

#include <ul/backend/cpu/interleave.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/random_words.hpp>
#include <ul/core/normal.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// The numbers of those blocks.
template <class T>
inline constexpr extent normals_at_once = words::size* ul::detail::stream<T>::per_block;

[[gnu::flatten]] inline void normals_of_blocks(float* out, key k, std::uint64_t i) {
  const auto w = random_words(k, i);
  const auto a = normal_from(w.word[0], w.word[1]), b = normal_from(w.word[2], w.word[3]);
  store_interleaved(a.first, a.second, b.first, b.second, out);
}

// use(64-bit words...): low and high words joined, in one pack or, as they need twice the room, in two.
template <int N, class Use>
UL_INLINE void join_words(pack<std::uint32_t, N> low, pack<std::uint32_t, N> high, const Use& use) {
  if constexpr (N == 1) {
    use(pack<std::uint64_t, 1>(std::uint64_t{high.native()} << 32 | low.native()));
  } else {
    using longs = pack<std::uint64_t, N / 2>;
    const auto both = interleave_all(low, high);
    use(std::bit_cast<longs>(both.low), std::bit_cast<longs>(both.high));
  }
}

[[gnu::flatten]] inline void normals_of_blocks(double* out, key k, std::uint64_t i) {
  const auto w = random_words(k, i);
  const auto put = [&](auto radius, auto angle) {
    const auto pair = normal_from(radius, angle);
    const auto both = interleave_all(pair.first, pair.second);
    both.low.store(out);
    both.high.store(out + radius.size);
    out += 2 * radius.size;
  };
  join_words(w.word[0], w.word[1], [&](auto... radius) {
    join_words(w.word[2], w.word[3], [&](auto... angle) { (put(radius, angle), ...); });
  });
}

}  // namespace simd

template <class T>
void normal_on(executor& threads, T* out, extent count, key k, extent first) {
  constexpr extent group = simd::normals_at_once<T>, per_block = ul::detail::stream<T>::per_block;
  const extent begin = first / group, end = ceil_div(first + count, group);
  for_each_on(threads, end - begin, 16 * group, [&](extent c) {
    const extent start = (begin + c) * group;  // the stream's number of the group's first element
    const auto block = static_cast<std::uint64_t>(start / per_block);
    if (start >= first && start + group <= first + count)
      return simd::normals_of_blocks(out + (start - first), k, block);
    T numbers[group];
    simd::normals_of_blocks(numbers, k, block);
    for (extent i = (std::max)(first, start); i < (std::min)(first + count, start + group); ++i)
      out[i - first] = numbers[i - start];
  });
}

}  // namespace UL_ISA
}  // namespace ul
