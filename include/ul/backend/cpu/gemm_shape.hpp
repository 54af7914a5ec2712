#pragma once
// The shape of the microkernel's tile, and of the packed operands it reads.

#include <ul/backend/cpu/pack.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// 32 registers hold 14 x 2 packs of C, 16 registers 6 x 2.
#if defined(__AVX512F__)
inline constexpr int tile_rows = 14;
#elif defined(__aarch64__)
inline constexpr int tile_rows = 12;
#else
inline constexpr int tile_rows = 6;
#endif
inline constexpr int tile_packs = 2;

// Whether a tile is so low that it needs far more of B than of A.
inline constexpr bool low_tiles = tile_rows * tile_packs < 24;

// Steps along k in one pass of the tile's loop. A low tile has so few multiply-adds to a step that counters and
// addresses would cost it a third of its instructions; where two threads share a core, instructions are what is short.
inline constexpr int tile_steps = low_tiles ? 4 : 1;

template <class T>
inline constexpr extent tile_columns = tile_packs* pack<T>::size;

// The longest pieces of k that are summed in registers: in blocks, where a panel of B stays in the first-level cache
// (or nearly), and in long products, where the rows of A of one tile do.
inline constexpr extent tile_depth = 256, long_depth = 576;
// The distances between rows of such packed pieces of A: odd numbers of cache lines, so that rows fall into different
// sets of a cache. They are constants of the tile because the rows of a tile are then found from one register.
inline constexpr extent packed_stride = tile_depth + 16, long_stride = long_depth + 16;

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
