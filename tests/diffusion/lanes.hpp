#pragma once
// A plain four-lane pack with the vocabulary of core/math.hpp, to run scalar formulas the way SIMD code does.

#include <cmath>
#include <cstddef>

#include <ul/core/constant.hpp>

namespace lanes {

template <class T, int n = 4>
struct pack {
  using value_type = T;
  T lane[n];

  pack() = default;
  explicit pack(T x) {
    for (T& l : lane) l = x;
  }
};

struct mask {
  bool lane[4];
};

template <class T, class F>
pack<T> each(const pack<T>& a, F f) {
  pack<T> r;
  for (int i = 0; i < 4; ++i) r.lane[i] = f(a.lane[i]);
  return r;
}
template <class T, class F>
pack<T> both(const pack<T>& a, const pack<T>& b, F f) {
  pack<T> r;
  for (int i = 0; i < 4; ++i) r.lane[i] = f(a.lane[i], b.lane[i]);
  return r;
}
template <class T, class F>
mask compare(const pack<T>& a, const pack<T>& b, F f) {
  mask r;
  for (int i = 0; i < 4; ++i) r.lane[i] = f(a.lane[i], b.lane[i]);
  return r;
}

template <class T>
pack<T> operator+(const pack<T>& a, const pack<T>& b) {
  return both(a, b, [](T x, T y) { return x + y; });
}
template <class T>
pack<T> operator-(const pack<T>& a, const pack<T>& b) {
  return both(a, b, [](T x, T y) { return x - y; });
}
template <class T>
pack<T> operator*(const pack<T>& a, const pack<T>& b) {
  return both(a, b, [](T x, T y) { return x * y; });
}
template <class T>
pack<T> operator/(const pack<T>& a, const pack<T>& b) {
  return both(a, b, [](T x, T y) { return x / y; });
}
template <class T>
pack<T> operator-(const pack<T>& a) {
  return each(a, [](T x) { return -x; });
}
template <class T>
mask operator<(const pack<T>& a, const pack<T>& b) {
  return compare(a, b, [](T x, T y) { return x < y; });
}
template <class T>
mask operator>(const pack<T>& a, const pack<T>& b) {
  return b < a;
}
template <class T>
mask operator<=(const pack<T>& a, const pack<T>& b) {
  return compare(a, b, [](T x, T y) { return x <= y; });
}
template <class T>
mask operator>=(const pack<T>& a, const pack<T>& b) {
  return b <= a;
}
template <class T>
pack<T> select(const mask& m, const pack<T>& a, const pack<T>& b) {
  pack<T> r;
  for (int i = 0; i < 4; ++i) r.lane[i] = m.lane[i] ? a.lane[i] : b.lane[i];
  return r;
}
template <class T>
pack<T> minimum(const pack<T>& a, const pack<T>& b) {
  return select(a < b, a, b);
}
template <class T>
pack<T> maximum(const pack<T>& a, const pack<T>& b) {
  return select(b < a, a, b);
}
template <class T>
pack<T> fma(const pack<T>& a, const pack<T>& b, const pack<T>& c) {
  pack<T> r;
  for (int i = 0; i < 4; ++i) r.lane[i] = std::fma(a.lane[i], b.lane[i], c.lane[i]);
  return r;
}

#define LANES_UNARY(name)                             \
  template <class T>                                  \
  pack<T> name(const pack<T>& a) {                    \
    return each(a, [](T x) { return std::name(x); }); \
  }
LANES_UNARY(exp)
LANES_UNARY(expm1)
LANES_UNARY(log)
LANES_UNARY(log1p)
LANES_UNARY(sqrt)
LANES_UNARY(sin)
LANES_UNARY(cos)
LANES_UNARY(tanh)
LANES_UNARY(erf)
LANES_UNARY(abs)
#undef LANES_UNARY

// f at x in every lane, from the last one.
template <class T, class F>
T through(F f, T x) {
  return f(pack<T>(x)).lane[3];
}

}  // namespace lanes
