#pragma once
// The first lanes of a register from and to memory, on instruction sets with masked moves.

#include <ul/backend/cpu/xsimd.hpp>
#include <ul/core/checked.hpp>
#include <ul/core/config.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// For 0 <= n <= N: load(p, n), whose other lanes are zero; store(p, n, x); and keep(x, n), other lanes made zero.
template <class T, int N>
struct lane_masks {};

#if defined(__AVX512F__)
template <>
struct lane_masks<float, 16> {
  UL_INLINE static __mmask16 first(extent n) { return static_cast<__mmask16>((1u << n) - 1); }
  UL_INLINE static __m512 load(const float* p, extent n) { return _mm512_maskz_loadu_ps(first(n), p); }
  UL_INLINE static void store(float* p, extent n, __m512 x) { _mm512_mask_storeu_ps(p, first(n), x); }
  UL_INLINE static __m512 keep(__m512 x, extent n) { return _mm512_maskz_mov_ps(first(n), x); }
};
template <>
struct lane_masks<double, 8> {
  UL_INLINE static __mmask8 first(extent n) { return static_cast<__mmask8>((1u << n) - 1); }
  UL_INLINE static __m512d load(const double* p, extent n) { return _mm512_maskz_loadu_pd(first(n), p); }
  UL_INLINE static void store(double* p, extent n, __m512d x) { _mm512_mask_storeu_pd(p, first(n), x); }
  UL_INLINE static __m512d keep(__m512d x, extent n) { return _mm512_maskz_mov_pd(first(n), x); }
};
#elif defined(__AVX2__)
template <>
struct lane_masks<float, 8> {
  UL_INLINE static __m256i first(extent n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  UL_INLINE static __m256 load(const float* p, extent n) { return _mm256_maskload_ps(p, first(n)); }
  UL_INLINE static void store(float* p, extent n, __m256 x) { _mm256_maskstore_ps(p, first(n), x); }
  UL_INLINE static __m256 keep(__m256 x, extent n) { return _mm256_and_ps(x, _mm256_castsi256_ps(first(n))); }
};
template <>
struct lane_masks<double, 4> {
  UL_INLINE static __m256i first(extent n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  UL_INLINE static __m256d load(const double* p, extent n) { return _mm256_maskload_pd(p, first(n)); }
  UL_INLINE static void store(double* p, extent n, __m256d x) { _mm256_maskstore_pd(p, first(n), x); }
  UL_INLINE static __m256d keep(__m256d x, extent n) { return _mm256_and_pd(x, _mm256_castsi256_pd(first(n))); }
};
#endif

template <class T, int N>
inline constexpr bool has_masks = requires {
  lane_masks<T, N>::first(extent{});
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
