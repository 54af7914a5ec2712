#pragma once
// pack<T>: as many numbers as one SIMD register holds, with the arithmetic of one. Functors written over the vocabulary
// of core/math.hpp run on it unchanged. What a lane computes never depends on its neighbours. pack<T, 1> is one plain
// number with the same interface, and what pack<T> is on a machine without SIMD. T: float, double, std::uint32_t,
// std::uint64_t.

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include <ul/backend/cpu/extremes.hpp>
#include <ul/backend/cpu/fused.hpp>
#include <ul/backend/cpu/partial.hpp>
#include <ul/backend/cpu/xsimd.hpp>
#include <ul/core/checked.hpp>
#include <ul/core/math.hpp>

namespace ul {
inline namespace UL_ISA {

template <class T, int N = simd::native_lanes<T>>
class pack {
 public:
  using value_type = T;
  using batch = xsimd::batch<T>;
  using mask = xsimd::batch_bool<T>;
  using register_type = typename batch::register_type;
  static constexpr extent size = N;

  pack() = default;  // uninitialised, as a number is
  UL_INLINE explicit pack(T x) : v_(x) {}
  UL_INLINE pack(batch v) : v_(v) {}

  UL_INLINE static pack load(const T* p) { return batch::load_unaligned(p); }
  UL_INLINE void store(T* p) const { v_.store_unaligned(p); }

  // `p` must be a multiple of sizeof(pack).
  UL_INLINE static pack load_aligned(const T* p) { return batch::load_aligned(p); }
  UL_INLINE void store_aligned(T* p) const { v_.store_aligned(p); }

  // The first n lanes, 0 <= n <= size; the others are zero, and nothing beyond p[n] is touched.
  UL_INLINE static pack load_first(const T* p, extent n) {
    if constexpr (simd::has_masks<T, N>) {
      return batch(simd::lane_masks<T, N>::load(p, n));
    } else {
      T lanes[N] = {};
      std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(T));
      return load(lanes);
    }
  }
  UL_INLINE void store_first(T* p, extent n) const {
    if constexpr (simd::has_masks<T, N>) {
      simd::lane_masks<T, N>::store(p, n, v_);
    } else {
      T lanes[N];
      store(lanes);
      std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(T));
    }
  }

  // The first n lanes of x, zero in the others.
  UL_INLINE friend pack keep_first(pack x, extent n) {
    if constexpr (simd::has_masks<T, N>) {
      return batch(simd::lane_masks<T, N>::keep(x.v_, n));
    } else {
      T lanes[N];
      x.store(lanes);
      for (extent i = n; i < N; ++i) lanes[i] = 0;
      return load(lanes);
    }
  }

  UL_INLINE const batch& native() const { return v_; }

  UL_INLINE friend pack operator+(pack a, pack b) { return a.v_ + b.v_; }
  UL_INLINE friend pack operator-(pack a, pack b) { return a.v_ - b.v_; }
  UL_INLINE friend pack operator*(pack a, pack b) { return a.v_ * b.v_; }
  UL_INLINE friend pack operator/(pack a, pack b) { return a.v_ / b.v_; }
  // By the sign bit: xsimd 8 subtracts from 0 on AVX-512, which leaves 0 without its sign.
  UL_INLINE friend pack operator-(pack a) {
    if constexpr (std::is_floating_point_v<T>)
      return batch(-register_type(a.v_));
    else
      return -a.v_;
  }
  UL_INLINE friend pack operator&(pack a, pack b) { return a.v_ & b.v_; }
  UL_INLINE friend pack operator|(pack a, pack b) { return a.v_ | b.v_; }
  UL_INLINE friend pack operator^(pack a, pack b) { return a.v_ ^ b.v_; }
  UL_INLINE pack& operator+=(pack b) { return *this = *this + b; }
  UL_INLINE pack& operator-=(pack b) { return *this = *this - b; }
  UL_INLINE pack& operator*=(pack b) { return *this = *this * b; }

  UL_INLINE friend mask operator<(pack a, pack b) { return a.v_ < b.v_; }
  UL_INLINE friend mask operator<=(pack a, pack b) { return a.v_ <= b.v_; }
  UL_INLINE friend mask operator>(pack a, pack b) { return a.v_ > b.v_; }
  UL_INLINE friend mask operator>=(pack a, pack b) { return a.v_ >= b.v_; }
  UL_INLINE friend mask operator==(pack a, pack b) { return a.v_ == b.v_; }
  UL_INLINE friend mask operator!=(pack a, pack b) { return a.v_ != b.v_; }
  UL_INLINE friend pack select(mask m, pack a, pack b) { return xsimd::select(m, a.v_, b.v_); }

  // a * b + c rounded once, in software where the machine has no such instruction.
  UL_INLINE friend pack fma(pack a, pack b, pack c) {
    if constexpr (simd::has_fused<batch>)
      return batch(simd::fused(a.v_, b.v_, c.v_));
    else
      return a.each([](T x, T y, T z) { return ul::fma(x, y, z); }, b, c);
  }
  // a * b + c the fastest way, fused wherever the machine can.
  UL_INLINE friend pack muladd(pack a, pack b, pack c) {
    if constexpr (simd::has_fused<batch>)
      return fma(a, b, c);
    else
      return a.v_ * b.v_ + c.v_;
  }

  // The second operand where either is NaN.
  UL_INLINE friend pack minimum(pack a, pack b) {
    if constexpr (simd::has_extremes<batch>)
      return batch(simd::lesser(a.v_, b.v_));
    else
      return xsimd::select(a.v_ < b.v_, a.v_, b.v_);
  }
  UL_INLINE friend pack maximum(pack a, pack b) {
    if constexpr (simd::has_extremes<batch>)
      return batch(simd::greater(a.v_, b.v_));
    else
      return xsimd::select(a.v_ > b.v_, a.v_, b.v_);
  }

  // f on each lane of this and of further packs.
  template <class F, class... Packs>
  pack each(F f, const Packs&... more) const {
    return each_of(f, lanes(*this), lanes(more)...);
  }

 private:
  struct array {
    T lane[N];
  };
  static array lanes(const pack& x) {
    array a;
    x.store(a.lane);
    return a;
  }
  template <class F, class... Arrays>
  static pack each_of(F f, const Arrays&... in) {
    T out[N];
    for (int i = 0; i < N; ++i) out[i] = f(in.lane[i]...);
    return load(out);
  }

  batch v_;
};

template <class T>
class pack<T, 1> {
 public:
  using value_type = T;
  using mask = bool;
  using register_type = T;
  static constexpr extent size = 1;

  pack() = default;
  UL_INLINE explicit pack(T x) : v_(x) {}

  UL_INLINE static pack load(const T* p) { return pack(*p); }
  UL_INLINE void store(T* p) const { *p = v_; }
  UL_INLINE static pack load_aligned(const T* p) { return pack(*p); }
  UL_INLINE void store_aligned(T* p) const { *p = v_; }
  UL_INLINE static pack load_first(const T* p, extent n) { return pack(n > 0 ? *p : T{}); }
  UL_INLINE void store_first(T* p, extent n) const {
    if (n > 0) *p = v_;
  }
  UL_INLINE friend pack keep_first(pack x, extent n) { return n > 0 ? x : pack(T{}); }

  UL_INLINE const T& native() const { return v_; }

  UL_INLINE friend pack operator+(pack a, pack b) { return pack(a.v_ + b.v_); }
  UL_INLINE friend pack operator-(pack a, pack b) { return pack(a.v_ - b.v_); }
  UL_INLINE friend pack operator*(pack a, pack b) { return pack(a.v_ * b.v_); }
  UL_INLINE friend pack operator/(pack a, pack b) { return pack(a.v_ / b.v_); }
  UL_INLINE friend pack operator-(pack a) { return pack(-a.v_); }
  UL_INLINE friend pack operator&(pack a, pack b) { return pack(a.v_ & b.v_); }
  UL_INLINE friend pack operator|(pack a, pack b) { return pack(a.v_ | b.v_); }
  UL_INLINE friend pack operator^(pack a, pack b) { return pack(a.v_ ^ b.v_); }
  UL_INLINE pack& operator+=(pack b) { return *this = *this + b; }
  UL_INLINE pack& operator-=(pack b) { return *this = *this - b; }
  UL_INLINE pack& operator*=(pack b) { return *this = *this * b; }

  UL_INLINE friend mask operator<(pack a, pack b) { return a.v_ < b.v_; }
  UL_INLINE friend mask operator<=(pack a, pack b) { return a.v_ <= b.v_; }
  UL_INLINE friend mask operator>(pack a, pack b) { return a.v_ > b.v_; }
  UL_INLINE friend mask operator>=(pack a, pack b) { return a.v_ >= b.v_; }
  UL_INLINE friend mask operator==(pack a, pack b) { return a.v_ == b.v_; }
  UL_INLINE friend mask operator!=(pack a, pack b) { return a.v_ != b.v_; }
  UL_INLINE friend pack select(mask m, pack a, pack b) { return m ? a : b; }

  UL_INLINE friend pack fma(pack a, pack b, pack c) { return pack(ul::fma(a.v_, b.v_, c.v_)); }
  UL_INLINE friend pack muladd(pack a, pack b, pack c) { return pack(a.v_ * b.v_ + c.v_); }
  UL_INLINE friend pack minimum(pack a, pack b) { return a.v_ < b.v_ ? a : b; }
  UL_INLINE friend pack maximum(pack a, pack b) { return a.v_ > b.v_ ? a : b; }

  template <class F, class... Packs>
  UL_INLINE pack each(F f, const Packs&... more) const {
    return pack(f(v_, more.native()...));
  }

 private:
  T v_;
};

namespace simd {

// Lane i of x becomes lane (i + by) % N.
template <int by, class Register, int... I>
UL_INLINE Register rotate(Register x, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(x, x, ((I + by) % static_cast<int>(sizeof...(I)))...);
}

// The lanes combined by halves: lane i with lane i + N / 2, and so on.
template <int half, class T, int N, class F>
UL_INLINE T reduce(pack<T, N> x, const F& f) {
  if constexpr (half == 0) {
    T lane[N];
    x.store(lane);
    return lane[0];
  } else {
    using batch = typename pack<T, N>::batch;
    const typename pack<T, N>::register_type v = x.native();
    return reduce<half / 2>(f(x, pack<T, N>(batch(rotate<half>(v, std::make_integer_sequence<int, N>{})))), f);
  }
}

}  // namespace simd

// x, kept in a register: the compiler may otherwise read it from memory again wherever it is used.
template <class T, int N>
UL_INLINE pack<T, N> in_register(pack<T, N> x) {
  if constexpr (N > 1) {
    typename pack<T, N>::register_type v = x.native();
#if defined(__aarch64__)
    __asm__("" : "+w"(v));
#elif defined(__SSE2__)
    __asm__("" : "+v"(v));
#endif
    return typename pack<T, N>::batch(v);
  }
  return x;
}

// sum = muladd(a, b, sum), for sums that are to stay in their registers.
template <class T, int N>
UL_INLINE void accumulate(pack<T, N>& sum, pack<T, N> a, pack<T, N> b) {
  if constexpr (simd::has_accumulate<pack<T, N>>) {
    typename pack<T, N>::register_type v = sum.native();
    simd::accumulate(v, a.native(), b.native());
    sum = typename pack<T, N>::batch(v);
  } else {
    sum = muladd(a, b, sum);
  }
}

// The lanes added, or compared, in a fixed order.
template <class T, int N>
UL_INLINE T reduce_sum(pack<T, N> x) {
  return simd::reduce<N / 2>(
      x, [](pack<T, N> a, pack<T, N> b) __attribute__((always_inline)) { return a + b; });
}
template <class T, int N>
UL_INLINE T reduce_maximum(pack<T, N> x) {
  return simd::reduce<N / 2>(
      x, [](pack<T, N> a, pack<T, N> b) __attribute__((always_inline)) { return maximum(a, b); });
}

}  // namespace UL_ISA
}  // namespace ul
