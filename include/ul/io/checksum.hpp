#pragma once
// The check sums of PNG, gzip and zlib streams.

#include <algorithm>
#include <cstdint>

#include <ul/io/bytes.hpp>

namespace ul {

// CRC-32 of ISO 3309 (polynomial 0xEDB88320, reflected), continued from `crc`. Source: RFC 1952, section 8.
inline std::uint32_t crc32(byte_view bytes, std::uint32_t crc = 0) {
  struct table {
    std::uint32_t entry[256];
    constexpr table() : entry{} {
      for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t c = n;
        for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) ? 0xEDB88320u : 0u);
        entry[n] = c;
      }
    }
  };
  static constexpr table lookup;
  crc = ~crc;
  for (const unsigned char byte : bytes) crc = lookup.entry[(crc ^ byte) & 255] ^ (crc >> 8);
  return ~crc;
}

// Adler-32, continued from `adler`. Source: RFC 1950, section 8.2.
inline std::uint32_t adler32(byte_view bytes, std::uint32_t adler = 1) {
  std::uint32_t a = adler & 0xffff, b = adler >> 16;
  while (!bytes.empty()) {
    // 5552 is the longest run after which b still fits 32 bits.
    const byte_view run = bytes.first((std::min)(bytes.size(), std::size_t{5552}));
    for (const unsigned char byte : run) {
      a += byte;
      b += a;
    }
    a %= 65521;
    b %= 65521;
    bytes = bytes.subspan(run.size());
  }
  return b << 16 | a;
}

}  // namespace ul
