#pragma once
// The lesser and the greater lanes of two registers; those of the second where either is NaN, as the instruction of x86
// has it. By hand, because compilers do not find that instruction for a comparison and a choice where the operands are
// constants, and g++ 12 warns of an operand that the unmasked form of AVX-512 leaves undefined itself.

#include <ul/backend/cpu/xsimd.hpp>
#include <ul/core/config.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

void lesser();  // so that the names exist everywhere
void greater();

#if defined(__AVX512F__)
UL_INLINE __m512 lesser(__m512 a, __m512 b) { return _mm512_maskz_min_ps(0xffff, a, b); }
UL_INLINE __m512 greater(__m512 a, __m512 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
UL_INLINE __m512d lesser(__m512d a, __m512d b) { return _mm512_maskz_min_pd(0xff, a, b); }
UL_INLINE __m512d greater(__m512d a, __m512d b) { return _mm512_maskz_max_pd(0xff, a, b); }
#endif
#if defined(__AVX__)
UL_INLINE __m256 lesser(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
UL_INLINE __m256 greater(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
UL_INLINE __m256d lesser(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
UL_INLINE __m256d greater(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
#endif
#if defined(__SSE2__)
UL_INLINE __m128 lesser(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
UL_INLINE __m128 greater(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
UL_INLINE __m128d lesser(__m128d a, __m128d b) { return _mm_min_pd(a, b); }
UL_INLINE __m128d greater(__m128d a, __m128d b) { return _mm_max_pd(a, b); }
#endif

// Whether a type that converts to a register has them.
template <class Batch>
concept has_extremes = requires(Batch b) {
  lesser(b, b);
  greater(b, b);
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
