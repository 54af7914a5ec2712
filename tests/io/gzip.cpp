#include <doctest/doctest.h>
#include <ul/io/gzip.hpp>

#include <ul/io/deflate.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::byte_vector gzip(ul::byte_view bytes) {
  ul::byte_vector out(bytes.size() + 1000);
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = const_cast<unsigned char*>(bytes.data());
  stream.avail_in = static_cast<unsigned>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<unsigned>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

ul::byte_vector gzip(std::string_view text) { return gzip(ul::as_bytes(text)); }

ul::byte_vector inflated(const ul::byte_vector& stream, std::size_t size) {
  ul::byte_vector out(size + 1);
  uLongf length = size + 1;
  REQUIRE(uncompress(out.data(), &length, stream.data(), stream.size()) == Z_OK);
  out.resize(length);
  return out;
}

std::string gunzip_error(const ul::byte_vector& bytes, ul::extent limit = 1 << 20) {
  return error_of([&] { ul::gunzip(bytes, "a.gz", limit); });
}

}  // namespace

TEST_CASE("gunzip: one member, an empty one, several") {
  ul::byte_vector large(1 << 20);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<unsigned char>(i * i >> 7);
  CHECK(ul::gunzip(gzip(large), "a.gz") == large);
  CHECK(ul::gunzip(gzip(large), "a.gz", 1 << 20) == large);
  CHECK(ul::gunzip(gzip(""), "a.gz").empty());
  ul::byte_vector two = gzip("one ");
  ul::append_bytes(two, gzip("two"));
  CHECK(ul::as_text(ul::gunzip(two, "a.gz")) == "one two");
}

TEST_CASE("gunzip: damage is named") {
  const ul::byte_vector good = gzip("some text, some text, some more text");
  const auto changed = [&](std::size_t from_end, int by) {
    ul::byte_vector bytes = good;
    bytes[bytes.size() - from_end] = static_cast<unsigned char>(bytes[bytes.size() - from_end] + by);
    return gunzip_error(bytes);
  };
  CHECK(contains(gunzip_error({}), "a.gz: byte 0: not a gzip file"));
  CHECK(contains(gunzip_error({0x1f}), "not a gzip file"));
  CHECK(contains(gunzip_error({0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0}), "unknown compression method"));
  CHECK(contains(changed(8, 1), "incorrect data check"));
  CHECK(contains(changed(4, 1), "incorrect length check"));
  for (std::size_t n = 2; n < good.size(); ++n) {
    CHECK(contains(gunzip_error({good.begin(), good.begin() + static_cast<long>(n)}), "the gzip stream is cut off"));
  }
  ul::byte_vector longer = good;
  longer.push_back(0);
  CHECK(contains(gunzip_error(longer), "bytes that are no gzip member after the end"));
  support::torture(good, [&](ul::byte_view bytes) { ul::gunzip(bytes, "a.gz", 1000); });
}

TEST_CASE("gunzip: a bomb stops at the limit") {
  const ul::byte_vector bomb = gzip(ul::byte_vector(50'000'000, 0));
  CHECK(bomb.size() < 100'000);
  CHECK(contains(gunzip_error(bomb), "unpacks to more than the limit of 1048576 bytes"));
  CHECK(gunzip_error(gzip("12345"), 5) == "no error");
  CHECK(contains(gunzip_error(gzip("123456"), 5), "the limit of 5 bytes"));
}

TEST_CASE("zlib_compress: zlib inflates it to the same bytes") {
  for (std::size_t size = 0; size < 300; ++size) {
    const ul::byte_vector flat(size, 7);
    REQUIRE(inflated(ul::zlib_compress(flat), size) == flat);
  }
  unsigned state = 1;
  for (const unsigned letters : {2u, 20u, 256u}) {
    ul::byte_vector bytes(200'000);  // several blocks
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      state = state * 1664525u + 1013904223u;
      // Random letters, with copies from up to 40,000 bytes before.
      const bool copies = i > 40'000 && i / 500 % 2 == 1;
      bytes[i] = copies ? bytes[i - 1 - i / 500 * 97 % 40'000] : static_cast<unsigned char>((state >> 16) % letters);
    }
    CHECK(inflated(ul::zlib_compress(bytes), bytes.size()) == bytes);
  }
}
