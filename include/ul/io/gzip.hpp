#pragma once
// gzip files unpacked in memory. Component `image`: needs zlib. Source: RFC 1952.

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include <ul/io/bytes.hpp>
#include <ul/io/read_file.hpp>

namespace ul {

namespace detail {

class inflater {
 public:
  inflater() {
    if (::inflateInit2(&stream_, 15 + 16) != Z_OK) fail("gzip: out of memory");  // 16: a gzip header, not zlib's
  }
  inflater(const inflater&) = delete;
  ~inflater() { ::inflateEnd(&stream_); }

  ::z_stream& stream() { return stream_; }

 private:
  ::z_stream stream_ = {};
};

}  // namespace detail

inline bool is_gzip(byte_view bytes) { return starts_with(bytes, "\x1f\x8b"); }

// The content of a gzip file of one or more members. `name` stands in the errors. Throws ul::error when the header, a
// check sum or a length is wrong, when the stream is cut off or followed by something else, or when the content would
// exceed `limit` bytes; memory and time stay bounded by what is accepted.
inline byte_vector gunzip(byte_view bytes, std::string_view name, extent limit = default_file_limit) {
  byte_cursor cursor(bytes, name);
  byte_vector out, part(std::size_t{1} << 16);
  do {
    if (!is_gzip(bytes.subspan(static_cast<std::size_t>(cursor.offset())))) {
      cursor.fail_here(cursor.offset() == 0 ? "not a gzip file" : "bytes that are no gzip member after the end");
    }
    detail::inflater inflater;
    ::z_stream& stream = inflater.stream();
    for (int state = Z_OK; state != Z_STREAM_END;) {
      const byte_view input = bytes.subspan(static_cast<std::size_t>(cursor.offset()));
      const std::size_t given = (std::min)(input.size(), std::size_t{1} << 30);
      stream.next_in = const_cast<unsigned char*>(input.data());
      stream.avail_in = static_cast<unsigned>(given);
      stream.next_out = part.data();
      stream.avail_out = static_cast<unsigned>(part.size());
      state = ::inflate(&stream, Z_NO_FLUSH);
      cursor.take(static_cast<extent>(given - stream.avail_in), "gzip");
      if (state == Z_BUF_ERROR) cursor.fail_here("the gzip stream is cut off");
      if (state != Z_OK && state != Z_STREAM_END) {
        cursor.fail_here("bad gzip stream: ", stream.msg ? stream.msg : "unknown reason");
      }
      const std::size_t got = part.size() - stream.avail_out;
      if (static_cast<extent>(got) > limit - static_cast<extent>(out.size())) {
        cursor.fail_here("unpacks to more than the limit of ", limit, " bytes");
      }
      append_bytes(out, byte_view(part).first(got));
    }
  } while (cursor.remaining() > 0);
  return out;
}

}  // namespace ul
