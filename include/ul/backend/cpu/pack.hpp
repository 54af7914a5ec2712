#pragma once
// pack<T>: as many numbers as one SIMD register holds, with the arithmetic of one. Functors written over the vocabulary
// of core/math.hpp run on it unchanged. What a lane computes never depends on its neighbours. pack<T, 1> is one plain
// number with the same interface, and what pack<T> is on a machine without SIMD. T: float, double, std::uint32_t,
// std::uint64_t.

#include <bit>
#include <cstdint>
#include <cstring>

#include <ul/backend/cpu/fused.hpp>
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
  static pack load_first(const T* p, extent n) {
    T lanes[N] = {};
    std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(T));
    return load(lanes);
  }
  void store_first(T* p, extent n) const {
    T lanes[N];
    store(lanes);
    std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(T));
  }

  UL_INLINE const batch& native() const { return v_; }

  UL_INLINE friend pack operator+(pack a, pack b) { return a.v_ + b.v_; }
  UL_INLINE friend pack operator-(pack a, pack b) { return a.v_ - b.v_; }
  UL_INLINE friend pack operator*(pack a, pack b) { return a.v_ * b.v_; }
  UL_INLINE friend pack operator/(pack a, pack b) { return a.v_ / b.v_; }
  UL_INLINE friend pack operator-(pack a) { return -a.v_; }
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
  UL_INLINE friend pack minimum(pack a, pack b) { return xsimd::select(a.v_ < b.v_, a.v_, b.v_); }
  UL_INLINE friend pack maximum(pack a, pack b) { return xsimd::select(a.v_ > b.v_, a.v_, b.v_); }

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

// The lanes added, or compared, in a fixed order.
template <class T, int N>
UL_INLINE T reduce_sum(pack<T, N> x) {
  T lane[N];
  x.store(lane);
  for (int half = N / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}
template <class T, int N>
UL_INLINE T reduce_maximum(pack<T, N> x) {
  T lane[N];
  x.store(lane);
  for (int i = 1; i < N; ++i) lane[0] = maximum(lane[0], lane[i]);
  return lane[0];
}

}  // namespace UL_ISA
}  // namespace ul
