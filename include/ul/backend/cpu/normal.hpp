#pragma once
// The verb normal on the CPU: the numbers of core/normal.hpp, bit for bit, many blocks of words at a time.

#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/transposition.hpp>
#include <ul/backend/cpu/wide_product.hpp>
#include <ul/core/normal.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

using words = pack<std::uint32_t>;

// a and b interleaved: low[2i] = a[i], low[2i + 1] = b[i], and so on into high.
template <class P>
struct interleaved {
  P low, high;
};
template <class T, int N>
UL_INLINE interleaved<pack<T, N>> interleave_all(pack<T, N> a, pack<T, N> b) {
  if constexpr (N == 1) {
    return {a, b};
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    const auto both = interleave_all(from_bits(a), from_bits(b));
    return {bits_of(both.low), bits_of(both.high)};
  } else {
    using batch = typename pack<T, N>::batch;
    using lanes = std::make_integer_sequence<int, N>;
    const typename batch::register_type x = a.native(), y = b.native();
    return {batch(interleave<0>(x, y, lanes{})), batch(interleave<N / 2>(x, y, lanes{}))};
  }
}

// The words of blocks i, i + 1 ... of the stream of k, as many as a pack has lanes.
UL_INLINE philox_block<words> random_words(key k, std::uint64_t i) {
  std::uint32_t low[words::size], high[words::size];
  for (extent j = 0; j < words::size; ++j) {
    const std::uint64_t block = i + static_cast<std::uint64_t>(j);
    low[j] = static_cast<std::uint32_t>(block);
    high[j] = static_cast<std::uint32_t>(block >> 32);
  }
  return philox4x32<words>({{words::load(low), words::load(high), words(0), words(0)}},
                           static_cast<std::uint32_t>(k.bits), static_cast<std::uint32_t>(k.bits >> 32));
}

// The numbers of those blocks.
template <class T>
inline constexpr extent normals_at_once = words::size* ul::detail::stream<T>::per_block;

[[gnu::flatten]] inline void normals_of_blocks(float* out, key k, std::uint64_t i) {
  const auto w = random_words(k, i);
  const auto a = normal_from(w.word[0], w.word[1]), b = normal_from(w.word[2], w.word[3]);
  const auto even = interleave_all(a.first, b.first), odd = interleave_all(a.second, b.second);
  const auto first = interleave_all(even.low, odd.low), last = interleave_all(even.high, odd.high);
  constexpr extent width = words::size;
  first.low.store(out);
  first.high.store(out + width);
  last.low.store(out + 2 * width);
  last.high.store(out + 3 * width);
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
