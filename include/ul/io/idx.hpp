#pragma once
// IDX, the format of the MNIST family: two zero bytes, element type, rank, big-endian extents, then the elements,
// the last axis fastest. Only unsigned bytes are read. Source: yann.lecun.com/exdb/mnist.

#include <cstdint>
#include <string_view>

#include <ul/core/extents.hpp>
#include <ul/io/bytes.hpp>

namespace ul {

struct idx_array {
  extents axes;        // (N) labels, (N, H, W) pictures
  byte_vector values;  // axes.size() of them
};

namespace detail {

// What the first bytes look like when they are not IDX: the usual accidents of a download.
inline const char* known_format(byte_view bytes) {
  if (starts_with(bytes, "\x1f\x8b")) return "compressed: gunzip first";
  if (starts_with(bytes, "PK\x03\x04")) return "a zip archive: unpack first";
  if (starts_with(bytes, "<!") || starts_with(bytes, "<html") || starts_with(bytes, "<HTML")) {
    return "an HTML page, perhaps a failed download";
  }
  if (starts_with(bytes, "version https://git-lfs")) return "a Git LFS pointer";
  if (starts_with(bytes, "\x89PNG")) return "a PNG picture";
  return nullptr;
}

}  // namespace detail

// bytes -> extents and elements. `name` stands in the errors. Throws ul::error on anything but exactly one complete
// array of unsigned bytes with at least one item and at most extents::max_rank axes.
inline idx_array parse_idx(byte_view bytes, std::string_view name) {
  byte_cursor cursor(bytes, name);
  if (const char* format = detail::known_format(bytes)) cursor.fail_here("this is ", format, ", expected IDX");
  const byte_view magic = cursor.take(4, "IDX header");
  if (magic[0] != 0 || magic[1] != 0) {
    const bool swapped = magic[2] == 0 && magic[3] == 0;
    cursor.fail_here("bad magic: the first two bytes are ", int{magic[0]}, " ", int{magic[1]}, ", expected 0 0",
                     swapped ? "; the byte order is wrong" : "");
  }
  const int type = magic[2], rank = magic[3];
  if (type == 0x09 || (type >= 0x0b && type <= 0x0e)) {
    cursor.fail_here("element type ", type, " (a wider number), expected 8 (unsigned byte)");
  }
  if (type != 0x08) cursor.fail_here("unknown element type ", type, ", expected 8 (unsigned byte)");
  if (rank < 1 || rank > extents::max_rank) {
    cursor.fail_here("rank is ", rank, ", expected 1 to ", extents::max_rank);
  }
  extent axes[extents::max_rank], size = 1;
  for (int axis = 0; axis < rank; ++axis) {
    axes[axis] = cursor.big<std::uint32_t>("extents");
    if (axes[axis] == 0)
      cursor.fail_here(axis == 0 ? "no items" : "an item without elements", ": axis ", axis, " is 0");
    if (axes[axis] > extent_max / size) cursor.fail_here("extents overflow: ", size, " x ", axes[axis]);
    size *= axes[axis];
  }
  if (size != cursor.remaining()) {
    const extents found(axes, rank);
    cursor.fail_here("extents ", found, ": expected ", size, " bytes, found ", cursor.remaining());
  }
  const byte_view payload = cursor.take(size, "elements");
  return {extents(axes, rank), byte_vector(payload.begin(), payload.end())};
}

}  // namespace ul
