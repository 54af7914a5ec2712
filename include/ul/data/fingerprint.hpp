#pragma once
// Whether a data set is still the one it was.

#include <cstring>
#include <string>
#include <vector>

#include <ul/data/data_set.hpp>
#include <ul/io/checksum.hpp>

namespace ul {

// A checksum of size, shape, classes, and up to 64 items spread over the set, each with its label.
template <data_set S>
std::uint32_t fingerprint(const S& set) {
  const extent size = set.size(), step = ceil_div(size, 64);
  const extents item = set.extents();
  std::uint32_t sum = crc32(as_bytes(describe(size, item).c_str()));
  std::vector<float> values(static_cast<std::size_t>(item.size()));
  for (extent i = 0; i < size; i += step) {
    set.read(i, values.data());
    const byte_view bytes(reinterpret_cast<const unsigned char*>(values.data()), values.size() * sizeof(float));
    sum = crc32(as_bytes(describe(label_of(set, i)).c_str()), crc32(bytes, sum));
  }
  return sum;
}

}  // namespace ul
