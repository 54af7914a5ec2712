#include <doctest/doctest.h>

#include <ul/io/idx.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::byte_vector idx(std::vector<std::uint32_t> axes, std::size_t payload, unsigned char type = 8) {
  ul::byte_vector out{0, 0, type, static_cast<unsigned char>(axes.size())};
  for (const std::uint32_t axis : axes) ul::append_big(out, axis);
  for (std::size_t i = 0; i < payload; ++i) out.push_back(static_cast<unsigned char>(i));
  return out;
}

std::string idx_error(const ul::byte_vector& bytes) {
  return error_of([&] { ul::parse_idx(bytes, "a.idx"); });
}

}  // namespace

TEST_CASE("idx: extents and elements of a well-formed array") {
  const ul::idx_array images = ul::parse_idx(idx({2, 3, 4}, 24), "a.idx");
  CHECK(images.axes == ul::extents{2, 3, 4});
  REQUIRE(images.values.size() == 24);
  CHECK(images.values[23] == 23);
  CHECK(ul::parse_idx(idx({5}, 5), "a.idx").axes == ul::extents{5});
}

TEST_CASE("idx: a bad header is named with the offset") {
  CHECK(contains(idx_error({}), "a.idx: byte 0: IDX header: needs 4 bytes, 0 are left"));
  CHECK(contains(idx_error({0}), "needs 4 bytes, 1 are left"));
  CHECK(contains(idx_error({0, 0, 8}), "needs 4 bytes, 3 are left"));
  CHECK(contains(idx_error({1, 2, 8, 1, 0, 0}), "bad magic: the first two bytes are 1 2, expected 0 0"));
  CHECK(contains(idx_error({3, 8, 0, 0, 1, 0, 0, 0}), "byte order"));
  for (const int type : {0x07, 0x00, 0xff}) {
    CHECK(contains(idx_error(idx({1}, 1, static_cast<unsigned char>(type))),
                   "unknown element type " + std::to_string(type)));
  }
  CHECK(contains(idx_error(idx({1}, 4, 0x0d)), "element type 13 (a wider number), expected 8"));
  CHECK(contains(idx_error(idx({}, 0)), "rank is 0, expected 1 to 5"));
  CHECK(contains(idx_error(idx(std::vector<std::uint32_t>(255, 1), 1)), "rank is 255"));
}

TEST_CASE("idx: extents and payload must agree") {
  CHECK(contains(idx_error({0, 0, 8, 3, 0, 0, 0, 1, 0, 0}), "byte 8: extents: needs 4 bytes, 2 are left"));
  CHECK(contains(idx_error(idx({0, 28, 28}, 0)), "no items"));
  CHECK(contains(idx_error(idx({3, 0, 28}, 0)), "an item without elements: axis 1 is 0"));
  CHECK(contains(idx_error(idx({0xffffffff}, 3)), "expected 4294967295 bytes, found 3"));
  CHECK(contains(idx_error(idx({0xffffffff, 0xffffffff, 0xffffffff}, 3)), "overflow"));
  CHECK(contains(idx_error(idx({2, 3, 4}, 23)), "extents (2, 3, 4): expected 24 bytes, found 23"));
  CHECK(contains(idx_error(idx({2, 3, 4}, 25)), "expected 24 bytes, found 25"));
  CHECK(contains(idx_error(idx({2, 3, 4}, 0)), "expected 24 bytes, found 0"));
}

TEST_CASE("idx: other formats are recognised") {
  const auto text = [](std::string_view t) { return ul::byte_vector(t.begin(), t.end()); };
  CHECK(contains(idx_error(text("\x1f\x8b\x08 and so on")), "compressed: gunzip first"));
  CHECK(contains(idx_error(text("PK\x03\x04 and so on")), "a zip archive"));
  CHECK(contains(idx_error(text("<!DOCTYPE html>")), "an HTML page"));
  CHECK(contains(idx_error(text("label,pixel1,pixel2")), "bad magic"));
  CHECK(contains(idx_error(text("version https://git-lfs.github.com/spec/v1")), "Git LFS pointer"));
}

TEST_CASE("idx: damaged files give an error or an array") {
  const ul::byte_vector good = idx({2, 3, 2}, 12);
  const int refused = support::torture(good, [](ul::byte_view bytes) {
    const ul::idx_array array = ul::parse_idx(bytes, "a.idx");
    CHECK(array.axes.size() == static_cast<ul::extent>(array.values.size()));
  });
  // Every prefix, every change of the 16 header bytes except of values, and the appended byte.
  CHECK(refused == 28 + 3 * 16 + 1);
}
