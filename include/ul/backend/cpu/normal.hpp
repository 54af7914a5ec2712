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

// Words are made in groups of as many packs as keep a core busy with chains of rounds, numbers of some groups after
// them in loops of a few steps: a core looks ahead over some hundred operations only, which must be several turns of a
// loop.
inline constexpr int packs_of_group = 6, packs_ahead = 4 * packs_of_group;
inline constexpr extent blocks_of_group = packs_of_group * words::size / 2;
template <class T>
inline constexpr extent normals_of_group = blocks_of_group* ul::detail::stream<T>::per_block;

// Fills out[0..n), whole groups, with blocks i, i + 1 ...
[[gnu::noinline, gnu::flatten]] inline void words_of_blocks(half_blocks* out, int n, const random_stream& from,
                                                            std::uint64_t i) {
  const auto blocks_in = [](int packs) { return static_cast<std::uint64_t>(packs * words::size / 2); };
  if (i >> 32 == (i + blocks_in(n) - 1) >> 32) {
    for (int j = 0; j < n; j += packs_of_group) random_words<packs_of_group>(out + j, from, i + blocks_in(j));
  } else {
    constexpr int step = words::size == 1 ? 2 : 1;
    for (int j = 0; j < n; j += step) random_words<step>(out + j, from, i + blocks_in(j));
  }
}

// The numbers of word[0..n).
[[gnu::noinline, gnu::flatten]] inline void normals_of_words(float* out, const half_blocks* word, int n) {
  split_uniform<pack<float>> u[packs_ahead];
  pack<float> eighths[packs_ahead], square[packs_ahead];
  for (int i = 0; i < n; ++i) {
    u[i] = uniform_of_radius(word[i].first);
    eighths[i] = eighths_of_angle(word[i].second);
  }
  for (int i = 0; i < n; ++i) square[i] = square_of_radius(u[i]);
  for (int i = 0; i < n; ++i, out += 2 * words::size) {
    const auto x = normal_from_parts(square[i], word[i].second, eighths[i]);
    const auto both = interleave_within(x.first, x.second);
    both.low.store(out);
    both.high.store(out + words::size);
  }
}

template <class Halves>  // half_blocks
[[gnu::noinline, gnu::flatten]] void normals_of_words(double* out, const Halves* word, int n) {
  using P = pack<double>;
  using U = pack<std::uint64_t>;
  const auto put = [&](U radius, U angle) {
    const auto x = normal_from(radius, angle);
    const auto both = interleave_within(x.first, x.second);
    both.low.store(out);
    both.high.store(out + P::size);
    out += 2 * P::size;
  };
  if constexpr (decltype(Halves::first)::size == 1) {
    const auto join = [](const Halves& of) { return U(std::uint64_t{of.second.native()} << 32 | of.first.native()); };
    for (int i = 0; i < n; i += 2) put(join(word[i]), join(word[i + 1]));
  } else {
    for (int i = 0; i < n; ++i) {
      const auto all = interleave_within(word[i].first, word[i].second);
      const auto both = interleave_within(std::bit_cast<P>(all.low), std::bit_cast<P>(all.high));
      put(bits_of(both.low), bits_of(both.high));
    }
  }
}

// The numbers of groups begin ... end - 1.
template <class T>
void normals_of_groups(T* out, const random_stream& from, extent begin, extent end) {
  half_blocks word[packs_ahead];
  constexpr extent groups_ahead = packs_ahead / packs_of_group;
  for (; begin < end; begin += groups_ahead, out += groups_ahead * normals_of_group<T>) {
    const int n = static_cast<int>((std::min)(groups_ahead, end - begin)) * packs_of_group;
    words_of_blocks(word, n, from, static_cast<std::uint64_t>(begin * blocks_of_group));
    normals_of_words(out, word, n);
  }
}

}  // namespace simd

template <class T>
void normal_on(executor& threads, T* out, extent count, key k, extent first) {
  constexpr extent group = simd::normals_of_group<T>, chunk_size = simd::grain / 2 / group * group;
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
