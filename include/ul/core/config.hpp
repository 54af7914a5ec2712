#pragma once
// The annotations every floor shares. UL_HD marks a function that a device compiler may also compile for the device;
// UL_INLINE marks one that must disappear into its caller because a register tile depends on it.

#if defined(__CUDACC__)
#define UL_HD __host__ __device__
#else
#define UL_HD
#endif

#if defined(_MSC_VER)
#define UL_INLINE __forceinline
#else
#define UL_INLINE inline __attribute__((always_inline))
#endif
