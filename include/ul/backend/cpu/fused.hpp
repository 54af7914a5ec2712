#pragma once
// a * b + c rounded once, on the registers of instruction sets that have it. By hand, because what xsimd 8 calls fma is
// a multiply and an add on AVX-512.

#include <ul/backend/cpu/xsimd.hpp>
#include <ul/core/config.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

void fused();  // so that the name exists everywhere

#if defined(__AVX512F__)
UL_INLINE __m512 fused(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
UL_INLINE __m512d fused(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
#endif
#if defined(__FMA__)
UL_INLINE __m256 fused(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
UL_INLINE __m256d fused(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
UL_INLINE __m128 fused(__m128 a, __m128 b, __m128 c) { return _mm_fmadd_ps(a, b, c); }
UL_INLINE __m128d fused(__m128d a, __m128d b, __m128d c) { return _mm_fmadd_pd(a, b, c); }
#elif defined(__aarch64__)
UL_INLINE float32x4_t fused(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
UL_INLINE float64x2_t fused(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmaq_f64(c, a, b); }
#endif

// sum += a * b in the register of sum. Where a tile's sums take up 12 of 16 registers, GCC would else put them wherever
// a multiply-add can leave its result, and carry them back, by way of memory too.
void accumulate();  // so that the name exists everywhere
#if defined(__FMA__) && !defined(__AVX512F__)
UL_INLINE void accumulate(__m256& sum, __m256 a, __m256 b) {
  __asm__("vfmadd231ps {%2, %1, %0|%0, %1, %2}" : "+x"(sum) : "x"(a), "x"(b));
}
UL_INLINE void accumulate(__m256d& sum, __m256d a, __m256d b) {
  __asm__("vfmadd231pd {%2, %1, %0|%0, %1, %2}" : "+x"(sum) : "x"(a), "x"(b));
}
#endif

// Whether a type that converts to a register has it.
template <class Batch>
concept has_fused = requires(Batch b) {
  fused(b, b, b);
};
// Whether the register of a pack has it in place.
template <class Pack>
concept has_accumulate = requires(typename Pack::register_type r) {
  accumulate(r, r, r);
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
