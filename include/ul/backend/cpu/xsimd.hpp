#pragma once
// The one place xsimd (8 to current) and the intrinsics are included: shielded from a caller's macros, and from false
// alarms inside GCC 12's AVX-512 intrinsics, which start from undefined registers on purpose.

#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("check")
#undef min
#undef max
#undef check
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(__AVX512BW__) && !defined(__OPTIMIZE__) && !defined(__clang__)
// Without optimization GCC has macros here, which do not take the batches that xsimd 8 gives them.
#pragma push_macro("_mm512_mask_blend_epi8")
#pragma push_macro("_mm512_mask_blend_epi16")
#undef _mm512_mask_blend_epi8
#undef _mm512_mask_blend_epi16
namespace xsimd::kernel {
inline __m512i _mm512_mask_blend_epi8(__mmask64 m, __m512i a, __m512i b) { return _mm512_mask_mov_epi8(a, m, b); }
inline __m512i _mm512_mask_blend_epi16(__mmask32 m, __m512i a, __m512i b) { return _mm512_mask_mov_epi16(a, m, b); }
}  // namespace xsimd::kernel
#include <xsimd/xsimd.hpp>
#pragma pop_macro("_mm512_mask_blend_epi16")
#pragma pop_macro("_mm512_mask_blend_epi8")
#else
#include <xsimd/xsimd.hpp>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#pragma pop_macro("check")
#pragma pop_macro("max")
#pragma pop_macro("min")

#include <ul/backend/cpu/isa.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <class T>
inline constexpr int native_lanes = 1;
#else
template <class T, bool = xsimd::types::has_simd_register<T, xsimd::default_arch>::value>
inline constexpr int native_lanes = 1;
template <class T>
inline constexpr int native_lanes<T, true> = static_cast<int>(xsimd::batch<T>::size);
#endif

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
