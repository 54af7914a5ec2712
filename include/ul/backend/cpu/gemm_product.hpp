#pragma once
// A product as its shares see it, and how they lay out its rows.

#include <ul/backend/cpu/gemm_epilogue.hpp>
#include <ul/backend/gemm.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// C = alpha * A B, or C += alpha * A B, then the epilogue. A and B are matrices or whatever packs like them.
template <class A, class B, class T>
struct product {
  extent m, n, k;
  A a;
  B b;
  T* c;
  extent ldc;
  T alpha;
  bool add;
  epilogue<T> last;
};

// How a tile reads packed rows: S apart, or as columns S apart.
template <extent S, transpose L>
struct packing_order {
  static constexpr extent stride = S;
  static constexpr transpose layout = L;
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
