#pragma once
// UL_ISA names the inline namespace of everything that is compiled differently for different instruction sets, the
// class `cpu` included: units built with different -march then hold different types, and the linker cannot mix them.

#ifndef UL_ISA
#if defined(__AVX512F__)
#define UL_ISA isa_avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define UL_ISA isa_avx2
#elif defined(__AVX__)
#define UL_ISA isa_avx
#elif defined(__SSE4_2__)
#define UL_ISA isa_sse4
#elif defined(__SSE2__)
#define UL_ISA isa_sse2
#elif defined(__aarch64__)
#define UL_ISA isa_neon
#else
#define UL_ISA isa_plain
#endif
#endif
