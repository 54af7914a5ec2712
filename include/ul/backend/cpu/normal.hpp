#pragma once
// The verb normal on the CPU: the numbers of core/normal.hpp, bit for bit, many blocks of words at a time.

#include <algorithm>

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

UL_INLINE void normals_of_words(float* out, const philox_block<words>& w) {
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

UL_INLINE void normals_of_words(double* out, const philox_block<words>& w) {
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

// The numbers of groups begin ... end - 1. The words of a few groups are made before their numbers: either loop keeps
// its constants in registers, and while one group waits for its long chain of products the next one has begun.
template <class T>
[[gnu::noinline, gnu::flatten]] void normals_of_groups(T* out, const random_stream& from, extent begin, extent end) {
  constexpr extent ahead = 8;
  philox_block<words> group[ahead];
  for (; begin < end; begin += ahead) {
    const extent count = (std::min)(ahead, end - begin);
    for (extent i = 0; i < count; ++i)
      group[i] = random_words(from, static_cast<std::uint64_t>((begin + i) * words::size));
    for (extent i = 0; i < count; ++i, out += normals_at_once<T>) normals_of_words(out, group[i]);
  }
}

}  // namespace simd

template <class T>
void normal_on(executor& threads, T* out, extent count, key k, extent first) {
  constexpr extent group = simd::normals_at_once<T>, chunk_size = simd::grain / 16;
  const simd::random_stream stream(k);
  const extent last = first + count;  // of the stream, as begin and end of the whole groups
  const extent begin = (std::min)(ceil_div(first, group) * group, last), end = (std::max)(last / group * group, begin);
  const auto part_of_group = [&](extent from, extent to) {
    if (from == to) return;
    T numbers[group];
    simd::normals_of_groups(numbers, stream, from / group, from / group + 1);
    std::copy(numbers + from % group, numbers + from % group + (to - from), out + (from - first));
  };
  part_of_group(first, begin);
  threads.run(ceil_div(end - begin, chunk_size), [&](extent chunk) {
    const extent from = begin + chunk * chunk_size, to = (std::min)(end, from + chunk_size);
    simd::normals_of_groups(out + (from - first), stream, from / group, to / group);
  });
  part_of_group(end, last);
}

}  // namespace UL_ISA
}  // namespace ul
