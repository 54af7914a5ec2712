#pragma once
// One step of Adam or AdamW, the average of the weights included, in one pass over the flat store.

#include <ul/backend/cpu/lanes.hpp>
#include <ul/backend/cpu/map.hpp>
#include <ul/backend/cpu/pool.hpp>
#include <ul/backend/kernels/adam.hpp>

namespace ul {
inline namespace UL_ISA {

namespace simd {

// Elements [begin, end). A copy of the step: of one that others can reach, the compiler would have to think that every
// store might change it.
template <class T>
void adam_piece(const adam_step<T> f, extent begin, extent end) {
  const auto constant = [](double x) { return pack<T>(static_cast<T>(x)); };
  const bool decoupled = f.kind == weight_decay::decoupled;
  const auto scale = constant(f.gradient_scale), coupled = constant(decoupled ? 0 : f.decay);
  const auto beta1 = constant(f.beta1), rest1 = constant(1 - f.beta1), beta2 = constant(f.beta2);
  const auto rest2 = constant(1 - f.beta2), step = constant(f.rate / f.correction1), eps = constant(f.eps);
  const auto inverse2 = constant(1 / f.correction2), shrink = constant(decoupled ? f.rate * f.decay : 0);
  const auto follow = constant(1 - f.average_decay);
  for_packs<T>(
      end - begin, [&](extent i, auto lanes) __attribute__((always_inline)) {
        const extent at = begin + i;
        const auto w = read(f.value + at, lanes);
        const auto g = muladd(coupled, w, read(f.gradient + at, lanes) * scale);
        const auto m = muladd(beta1, read(f.first + at, lanes), rest1 * g);
        const auto v = muladd(beta2, read(f.second + at, lanes), rest2 * g * g);
        const auto next = w - muladd(shrink, w, step * m / (sqrt(v * inverse2) + eps));
        write(m, f.first + at, lanes);
        write(v, f.second + at, lanes);
        write(next, f.value + at, lanes);
        if (f.average != nullptr) {
          const auto old = read(f.average + at, lanes);
          write(muladd(follow, next - old, old), f.average + at, lanes);
        }
        if (f.shadow != nullptr) write(next, f.shadow + at, lanes);
      });
}

}  // namespace simd

template <class T>
void run_on(executor& threads, memory_pool&, const adam_step<T>& f) {
  for_each_on(threads, ceil_div(f.count, simd::grain), simd::grain, [&](extent piece) {
    simd::adam_piece(f, piece * simd::grain, (std::min)(f.count, (piece + 1) * simd::grain));
  });
}

}  // namespace UL_ISA
}  // namespace ul
