#pragma once
// The verbs map and for_each on the CPU. A map is cut into rows of the collapsed space and pieces of long rows; a piece
// runs through packs, its tail through a partial pack, so an element's bits depend on its operands alone.

#include <tuple>
#include <type_traits>

#include <ul/backend/cpu/executor.hpp>
#include <ul/backend/cpu/pack_activation.hpp>
#include <ul/backend/space.hpp>
#include <ul/core/element.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Elements, or scalar operations, worth a chunk of their own.
inline constexpr extent grain = 16384;

// Whether f runs on packs of T for operands that all hold T.
template <class T, class F, class... Held>
inline constexpr bool vectorises = (std::is_same_v<T, float> ||
                                    std::is_same_v<T, double>)&&(std::is_same_v<T, std::remove_const_t<Held>>&&...) &&
                                   std::is_invocable_v<const F&, std::conditional_t<true, pack<T>, Held>...>;

// Where an operand stands in the current row.
template <class T>
UL_INLINE T* row_of(const operand<T>& x, extent o, extent m) {
  return x.data + o * x.outer + m * x.mid;
}

// One element as the number arithmetic is done in.
template <class T>
UL_INLINE auto widened(const operand<T>& x, extent o, extent m, extent i) {
  return static_cast<compute_t<std::remove_const_t<T>>>(row_of(x, o, m)[i * x.inner]);
}

// Reads packs along a row: its elements, or one element that stands for all.
template <class T>
class row_reader {
 public:
  UL_INLINE row_reader(const T* p, bool broadcast) : step_(broadcast ? 0 : 1) {
    if (broadcast) pack<T>(*p).store(same_);
    p_ = broadcast ? same_ : p;
  }
  row_reader(const row_reader&) = delete;

  UL_INLINE pack<T> operator()(extent i) const { return pack<T>::load(p_ + i * step_); }
  UL_INLINE pack<T> first(extent i, extent n) const { return pack<T>::load_first(p_ + i * step_, n); }

 private:
  const T* p_;
  extent step_;
  T same_[pack<T>::size];
};

template <class T, class F, class... Readers>
UL_INLINE void map_row(const F& f, T* out, extent n, const Readers&... in) {
  constexpr extent width = pack<T>::size;
  extent i = 0;
  for (; i + width <= n; i += width) f(in(i)...).store(out + i);
  if (i < n) f(in.first(i, n - i)...).store_first(out + i, n - i);
}

template <class F, class Out, class... In>
void map_rows(const F& f, const operand<Out>& out, extent o, extent m, extent begin, extent n,
              const operand<In>&... in) {
  Out* y = row_of(out, o, m) + begin * out.inner;
  if constexpr (vectorises<Out, F, In...>) {
    if (out.inner == 1 && ((in.inner == 0 || in.inner == 1) && ...))
      return map_row<Out>(f, y, n,
                          row_reader<std::remove_const_t<In>>(row_of(in, o, m) + begin * in.inner, in.inner == 0)...);
  }
  for (extent i = 0; i < n; ++i)
    y[i * out.inner] = static_cast<Out>(static_cast<compute_t<Out>>(f(widened(in, o, m, begin + i)...)));
}

}  // namespace simd

// out = f(in...) at every point of the space.
template <class F, class Out, class... In>
void map_on(executor& threads, space s, const F& f, operand<Out> out, operand<In>... in) {
  s = collapse(s, out, in...);
  if (s.size() == 0) return;
  const extent rows = s.outer * s.mid;
  const extent pieces = ceil_div(s.inner, simd::grain), block = (std::max)(extent{1}, simd::grain / s.inner);
  const auto row = [&](extent r, extent begin, extent n) {
    simd::map_rows(f, out, r / s.mid, r % s.mid, begin, n, in...);
  };
  if (pieces > 1)
    threads.run(rows * pieces, [&](extent c) {
      const extent begin = c % pieces * simd::grain;
      row(c / pieces, begin, (std::min)(simd::grain, s.inner - begin));
    });
  else
    threads.run(ceil_div(rows, block), [&](extent c) {
      const extent end = (std::min)(rows, (c + 1) * block);
      for (extent r = c * block; r < end; ++r) row(r, 0, s.inner);
    });
}

// f(i) for every i in [0, count), about `work` scalar operations each.
template <class F>
void for_each_on(executor& threads, extent count, extent work, const F& f) {
  const extent block = (std::max)(extent{1}, simd::grain / (std::max)(extent{1}, work));
  threads.run(ceil_div(count, block), [&](extent c) {
    const extent end = (std::min)(count, (c + 1) * block);
    for (extent i = c * block; i < end; ++i) f(i);
  });
}

}  // namespace UL_ISA
}  // namespace ul
