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

// Blocks are taken in groups, twice as many as a pack has lanes.
inline constexpr int packs_of_group = 2;
inline constexpr extent blocks_of_group = packs_of_group * words::size;
template <class T>
inline constexpr extent normals_of_group = blocks_of_group* ul::detail::stream<T>::per_block;
using group_words = philox_block<bundle<words, packs_of_group>>;

// Groups whose words are made before their numbers, so that each loop has registers for its own constants.
inline constexpr extent groups_ahead = 4;

[[gnu::noinline, gnu::flatten]] inline void words_of_groups(group_words* out, const random_stream& from, extent begin,
                                                            extent end) {
  for (; begin < end; ++begin, ++out)
    *out = random_words<packs_of_group>(from, static_cast<std::uint64_t>(begin * blocks_of_group));
}

template <class P, int n>
UL_INLINE bundle<P, 2 * n> both(const bundle<P, n>& a, const bundle<P, n>& b) {
  bundle<P, 2 * n> all;
  unroll<n>([&](auto i) __attribute__((always_inline)) { all.part[i] = a.part[i], all.part[n + i] = b.part[i]; });
  return all;
}

// The numbers of up to groups_ahead groups.
UL_INLINE void normals_of_words(float* out, const group_words* group, extent count) {
  bundle<pack<float>, 2 * packs_of_group> radius[groups_ahead];
  for (extent i = 0; i < count; ++i) radius[i] = normal_radius(both(group[i].word[0], group[i].word[2]));
  for (extent i = 0; i < count; ++i) {
    const auto x = normal_from_radius(radius[i], both(group[i].word[1], group[i].word[3]));
    unroll<packs_of_group>([&](auto first) __attribute__((always_inline)) {
      constexpr int last = packs_of_group + first;
      store_interleaved(x.first.part[first], x.second.part[first], x.first.part[last], x.second.part[last], out);
      out += 4 * words::size;
    });
  }
}

// use(64-bit words...): low and high words joined, in one pack or, as they need twice the room, in two.
template <int N, class Use>
UL_INLINE void join_words(pack<std::uint32_t, N> low, pack<std::uint32_t, N> high, const Use& use) {
  if constexpr (N == 1) {
    use(pack<std::uint64_t, 1>(std::uint64_t{high.native()} << 32 | low.native()));
  } else {
    using longs = pack<std::uint64_t, N / 2>;
    const auto all = interleave_within(low, high);
    use(std::bit_cast<longs>(all.low), std::bit_cast<longs>(all.high));
  }
}

UL_INLINE void normals_of_words(double* out, const group_words* group, extent count) {
  const auto put = [&](auto radius, auto angle) {
    const auto pair = normal_from(radius, angle);
    const auto all = interleave_within(pair.first, pair.second);
    all.low.store(out);
    all.high.store(out + radius.size);
    out += 2 * radius.size;
  };
  for (; count > 0; --count, ++group)
    for (int i = 0; i < packs_of_group; ++i)
      join_words(group->word[0].part[i], group->word[1].part[i], [&](auto... radius) {
        join_words(group->word[2].part[i], group->word[3].part[i], [&](auto... angle) { (put(radius, angle), ...); });
      });
}

// The numbers of groups begin ... end - 1.
template <class T>
[[gnu::noinline, gnu::flatten]] void normals_of_groups(T* out, const random_stream& from, extent begin, extent end) {
  group_words group[groups_ahead];
  for (; begin < end; begin += groups_ahead, out += groups_ahead * normals_of_group<T>) {
    const extent count = (std::min)(groups_ahead, end - begin);
    words_of_groups(group, from, begin, begin + count);
    normals_of_words(out, group, count);
  }
}

}  // namespace simd

template <class T>
void normal_on(executor& threads, T* out, extent count, key k, extent first) {
  constexpr extent group = simd::normals_of_group<T>, chunk_size = simd::grain / 2;
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
