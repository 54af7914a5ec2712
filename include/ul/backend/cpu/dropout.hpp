#pragma once
// Dropout on the CPU: the random words of many blocks at a time.

#include <cmath>

#include <ul/backend/cpu/interleave.hpp>
#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/cpu/random_words.hpp>
#include <ul/backend/kernels/dropout.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T>
void run_on(executor& threads, memory_pool&, const drop_elements<T>& f) {
  constexpr extent group = 4 * simd::words::size;
  // The least float that is not below the rate, so that floats need not be widened to be compared with it.
  float least = static_cast<float>(f.rate);
  if (static_cast<double>(least) < f.rate) least = std::nextafter(least, 2.0f);
  const pack<T> scale(f.scale()), bound(static_cast<T>(least));
  const simd::random_stream stream(f.k);
  const bool add = f.mode == store_mode::add;
  for_each_on(threads, ceil_div(f.count, group), 8 * group, [&](extent c) {
    simd::half_blocks word[2];
    simd::random_words<2>(word, stream, static_cast<std::uint64_t>(c * simd::words::size));
    float number[group];
    for (int part = 0; part < 2; ++part) {
      const auto both = simd::interleave_within(uniform(word[part].first), uniform(word[part].second));
      both.low.store(number + 2 * part * simd::words::size);
      both.high.store(number + (2 * part + 1) * simd::words::size);
    }
    T wide[group];
    for (extent i = 0; i < group; ++i) wide[i] = static_cast<T>(number[i]);
    const extent first = c * group;
    simd::for_packs<T>((std::min)(group, f.count - first), [&](extent i, auto lanes) {
      const auto x = simd::read(f.x + first + i, lanes) * scale;
      simd::write_or_add(select(pack<T>::load(wide + i) >= bound, x, pack<T>(T{0})), f.y + first + i, add, lanes);
    });
  });
}

}  // namespace UL_ISA
}  // namespace ul
