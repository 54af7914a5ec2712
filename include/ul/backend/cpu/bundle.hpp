#pragma once
// bundle<P, n>: n packs of one kind, with the arithmetic of one. What is written for a pack then does each of its steps
// n times before the next: a core looks ahead over some hundred operations only, and would wait in a long chain of
// dependent steps on one pack.

#include <ul/backend/cpu/pack_bits.hpp>
#include <ul/backend/cpu/pack_math.hpp>
#include <ul/backend/cpu/unroll.hpp>

namespace ul {
inline namespace UL_ISA {

template <class P, int n>
struct bundle;

namespace simd {

// f of part 0 of each bundle, of part 1, and so on, as a bundle.
template <int n, class F, class... P>
UL_INLINE auto by_parts(const F& f, const bundle<P, n>&... of) {
  bundle<decltype(f(of.part[0]...)), n> result;
  unroll<n>([&](auto i) __attribute__((always_inline)) { result.part[i] = f(of.part[i]...); });
  return result;
}

}  // namespace simd

template <class P, int n>
struct bundle {
  using value_type = typename P::value_type;

  P part[n];

  bundle() = default;  // uninitialised, as a pack is
  UL_INLINE explicit bundle(value_type x) {
    const P all(x);
    simd::unroll<n>([&](auto i) __attribute__((always_inline)) { part[i] = all; });
  }

  UL_INLINE friend bundle operator+(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x + y; }, a, b);
  }
  UL_INLINE friend bundle operator-(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x - y; }, a, b);
  }
  UL_INLINE friend bundle operator*(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x * y; }, a, b);
  }
  UL_INLINE friend bundle operator&(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x & y; }, a, b);
  }
  UL_INLINE friend bundle operator|(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x | y; }, a, b);
  }
  UL_INLINE friend bundle operator^(const bundle& a, const bundle& b) {
    return simd::by_parts(
        [](P x, P y) __attribute__((always_inline)) { return x ^ y; }, a, b);
  }
  UL_INLINE friend bundle fma(const bundle& a, const bundle& b, const bundle& c) {
    return simd::by_parts(
        [](P x, P y, P z) __attribute__((always_inline)) { return fma(x, y, z); }, a, b, c);
  }
  UL_INLINE friend bundle sqrt(const bundle& a) {
    return simd::by_parts(
        [](P x) __attribute__((always_inline)) { return sqrt(x); }, a);
  }
};

template <class P, int n>
UL_INLINE auto bits_of(const bundle<P, n>& a) {
  return simd::by_parts(
      [](P x) __attribute__((always_inline)) { return bits_of(x); }, a);
}
template <class P, int n>
UL_INLINE auto from_bits(const bundle<P, n>& a) {
  return simd::by_parts(
      [](P x) __attribute__((always_inline)) { return from_bits(x); }, a);
}
template <class P, int n>
UL_INLINE auto to_number(const bundle<P, n>& a) {
  return simd::by_parts(
      [](P x) __attribute__((always_inline)) { return to_number(x); }, a);
}
template <class P, int n>
UL_INLINE auto exponent_of(const bundle<P, n>& a) {
  return simd::by_parts(
      [](P x) __attribute__((always_inline)) { return exponent_of(x); }, a);
}
template <class U, int n, class P>
UL_INLINE bundle<P, n> select_by_bit(const bundle<U, n>& u, int bit, const bundle<P, n>& a, const bundle<P, n>& b) {
  return simd::by_parts(
      [bit](U x, P y, P z) __attribute__((always_inline)) { return select_by_bit(x, bit, y, z); }, u, a, b);
}
template <class P, int n>
UL_INLINE bundle<P, n> shift_right(const bundle<P, n>& a, int by) {
  return simd::by_parts(
      [by](P x) __attribute__((always_inline)) { return shift_right(x, by); }, a);
}

}  // namespace UL_ISA
}  // namespace ul
