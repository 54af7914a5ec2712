// Headers of safetensors files: which ones are accepted, and why the others are refused.

#include <doctest/doctest.h>

#include <chrono>

#include <ul/io/json_reader.hpp>
#include <ul/io/safetensors_reader.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::byte_vector file_of(std::string_view header, std::size_t data) {
  ul::byte_vector bytes;
  ul::append_little(bytes, std::uint64_t{header.size()});
  ul::append_bytes(bytes, ul::as_bytes(header));
  bytes.resize(bytes.size() + data);
  return bytes;
}

std::string parse_error(const ul::byte_vector& bytes, const ul::safetensors_limits& limits = {}) {
  return error_of([&] { ul::parse_safetensors(bytes, "a.st", limits); });
}
std::string header_error(std::string_view header, std::size_t data = 0) { return parse_error(file_of(header, data)); }

// A tensor in a header; offsets and shape as they are to stand there.
std::string tensor(std::string_view name, std::string_view shape, std::string_view offsets,
                   std::string_view type = "F32") {
  return '"' + std::string(name) + "\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + '}';
}
std::string braces(std::string_view inside) { return '{' + std::string(inside) + '}'; }

ul::byte_vector from_hex(std::string_view hex) {
  ul::byte_vector bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("safetensors: the published files are accepted and refused as they ought to be") {
  const ul::json vectors = ul::read_json(UL_SOURCE_DIR "/tests/data/safetensors.json");
  REQUIRE(vectors["accept"].elements().size() == 4);
  for (const ul::json& each : vectors["accept"].elements()) {
    CAPTURE(each["name"].string());
    const ul::byte_vector bytes = from_hex(each["bytes_hex"].string());
    const ul::safetensors file = ul::parse_safetensors(bytes, "a.st");
    REQUIRE(file.tensors.size() == each["tensors"].elements().size());
    for (const ul::json& expected : each["tensors"].elements()) {
      const ul::safetensors_tensor& t = file[expected["name"].string()];
      CHECK(ul::safetensors_name(t.type) == expected["dtype"].string());
      std::vector<ul::extent> shape;
      for (const ul::json& n : expected["shape"].elements()) shape.push_back(n.integer<ul::extent>());
      CHECK(t.shape == shape);
      for (const std::int32_t value : ul::values_of<std::int32_t>(t)) CHECK(value == 0);
    }
  }
  const std::pair<const char*, const char*> reasons[] = {
      {"extra_trailing_data", "34 bytes after the last tensor"},
      {"two_bytes_missing", "end past the 14 bytes"},
      {"empty_file", "header size needs 8 bytes, the file has 0"},
      {"length_without_header", "header past end of file: it has 60 bytes, 0 are left"},
      {"non_utf8", "the header starts with '\\xff', expected '{'"},
      {"not_json", "expected a key in double quotes"},
      {"info_size_mismatch", "data_offsets [0, 4] end past the 0 bytes"},
      {"shape_overflow", "too large a number"},
      {"element_count_overflow", "(2, 9223372036854775807) of I32 overflows"},
      {"header_length_huge", "header size exceeds limit"}};
  REQUIRE(vectors["reject"].elements().size() == std::size(reasons));
  for (std::size_t i = 0; i < std::size(reasons); ++i) {
    const ul::json& each = vectors["reject"].elements()[i];
    REQUIRE(each["name"].string() == reasons[i].first);
    CHECK(contains(parse_error(from_hex(each["bytes_hex"].string())), reasons[i].second));
  }
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += (i ? "," : "") + tensor("t" + std::to_string(i), "[2,2]", "[0,16]", "I32");
  CHECK(contains(header_error(braces(ten), 16), "overlaps another tensor: starts at 0, expected 16"));
}

TEST_CASE("safetensors: a header of the wrong size or with the wrong text") {
  CHECK(contains(parse_error(ul::byte_vector(7)), "a.st: header size needs 8 bytes, the file has 7"));
  CHECK(contains(parse_error(ul::byte_vector(8)), "header empty"));
  const auto with_size = [](std::uint64_t size) {
    ul::byte_vector bytes;
    ul::append_little(bytes, size);
    ul::append_bytes(bytes, ul::as_bytes("{}"));
    return parse_error(bytes);
  };
  CHECK(contains(with_size(~std::uint64_t{0}), "header size exceeds limit: 18446744073709551615 of 100000000"));
  CHECK(contains(with_size(std::uint64_t{1} << 63), "header size exceeds limit"));
  CHECK(contains(with_size(100'000'001), "header size exceeds limit"));
  CHECK(contains(with_size(100'000'000), "header past end of file: it has 100000000 bytes, 2 are left"));
  CHECK(contains(with_size(3), "header past end of file"));
  CHECK(with_size(2) == "no error");
  CHECK(contains(with_size(1), "expected a key in double quotes, found end of text"));

  CHECK(header_error("{}  ") == "no error");
  CHECK(contains(header_error("[]"), "the header starts with '['"));
  CHECK(contains(header_error(" {}"), "the header starts with ' '"));
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80"}) {  // bare, overlong, a surrogate
    CHECK(contains(header_error(braces('"' + std::string(bad) + "\":{}")), "invalid UTF-8"));
  }
  CHECK(contains(header_error("{\"a\":"), "a.st: header:1:6: expected a value, found end of text"));
  CHECK(contains(header_error("{}x"), "unexpected 'x' after the value"));
  CHECK(contains(header_error(std::string_view("{}\0\0", 4)), "unexpected '\\x00' after the value"));
  CHECK(contains(header_error("{\"a\":" + std::string(100'000, '[')), "nested too deep"));
}

TEST_CASE("safetensors: every name stands once") {
  const std::string a = tensor("a", "[1]", "[0,4]");
  CHECK(contains(header_error(braces(a + ',' + a), 4), "duplicate key a"));
  CHECK(contains(header_error(braces(a + ",\"\\u0061\":{}"), 4), "duplicate key a"));
  CHECK(contains(header_error(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4),
                 "duplicate key a.dtype"));
  CHECK(contains(header_error(R"({"__metadata__":{},"__metadata__":{}})"), "duplicate key __metadata__"));
  CHECK(contains(header_error(R"({"__metadata__":{"a":"1","a":"1"}})"), "duplicate key __metadata__.a"));
}

TEST_CASE("safetensors: metadata is text for text") {
  const ul::byte_vector bytes = file_of(R"({"__metadata__":{"b":"","a":"\u00e9\n"}})", 0);
  const ul::safetensors file = ul::parse_safetensors(bytes, "a.st");
  CHECK(file.metadata == ul::safetensors_metadata{{"b", ""}, {"a", "\xc3\xa9\n"}});
  REQUIRE(file.find_metadata("a") != nullptr);
  CHECK(*file.find_metadata("a") == "\xc3\xa9\n");
  CHECK(file.find_metadata("c") == nullptr);
  CHECK(contains(header_error(R"({"__metadata__":[]})"), "__metadata__ must be an object, got array"));
  CHECK(contains(header_error(R"({"__metadata__":{"a":1}})"), "__metadata__: a must be a string, got integer"));
}

TEST_CASE("safetensors: type, shape and offsets of a tensor") {
  const auto one = [](std::string_view shape, std::string_view offsets, std::size_t data,
                      std::string_view type = "F32") {
    return header_error(braces(tensor("a", shape, offsets, type)), data);
  };
  CHECK(one("[1]", "[0,4]", 4) == "no error");
  CHECK(contains(one("[1]", "[0,4]", 4, "F33"), "a.st: tensor a: unknown dtype \"F33\""));
  CHECK(contains(one("[1]", "[0,4]", 4, "f32"), "unknown dtype"));
  CHECK(contains(header_error(R"({"a":1})"), "tensor a: must be an object, got integer"));
  CHECK(contains(header_error(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4), "tensor a: dtype is missing"));
  CHECK(contains(header_error(R"({"a":{"dtype":1,"shape":[],"data_offsets":[0,4]}})", 4), "dtype must be a string"));
  CHECK(contains(header_error(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), "shape is missing"));
  CHECK(contains(header_error(R"({"a":{"dtype":"F32","shape":[]}})", 4), "data_offsets is missing"));
  CHECK(contains(header_error(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":0}})", 4), "unknown key x"));
  CHECK(contains(one("3", "[0,4]", 4), "shape must be an array, got integer"));
  CHECK(contains(one("[-1]", "[0,4]", 4), "shape: a negative number"));
  for (const char* shape : {"[3.0]", "[1e3]", "[\"1\"]", "[null]"}) {
    CHECK(contains(one(shape, "[0,4]", 4), "shape must hold integers, got "));
  }
  CHECK(contains(one("[18446744073709551616]", "[0,4]", 4), "the integer does not fit 64 bits"));
  CHECK(contains(one("[9223372036854775808]", "[0,4]", 4), "shape: too large a number"));
  CHECK(contains(one("[8589934592,8589934592]", "[0,4]", 4), "shape (8589934592, 8589934592) of F32 overflows"));
  CHECK(contains(one("[2305843009213693952]", "[0,4]", 4), "overflows"));  // only with the 4 bytes of an element
  CHECK(contains(one("[0,8589934592,8589934592]", "[0,0]", 0), "overflows"));
  std::string ones = "[1";
  for (int i = 0; i < 999; ++i) ones += ",1";
  CHECK(contains(one(ones + "]", "[0,4]", 4), "rank limit is 8, got 1000"));
  CHECK(contains(one("[1]", "[0]", 4), "data_offsets has 1 elements, expected 2"));
  CHECK(contains(one("[1]", "[0,4,4]", 4), "data_offsets has 3 elements, expected 2"));
  CHECK(contains(one("[1]", "[4,0]", 4), "data_offsets [4, 0] run backwards"));
  CHECK(contains(one("[1]", "[-4,0]", 4), "data_offsets: a negative number"));
  CHECK(contains(one("[1]", "[0,5]", 4), "data_offsets [0, 5] end past the 4 bytes of the file"));
  CHECK(contains(one("[1]", "[0,3]", 3), "hold 3 bytes, (1) of F32 needs 4"));
  CHECK(contains(one("[1]", "[0,8]", 8), "hold 8 bytes, (1) of F32 needs 4"));
  CHECK(contains(one("[0]", "[0,4]", 4), "hold 4 bytes, (0) of F32 needs 0"));
}

TEST_CASE("safetensors: elements lie side by side, each in one tensor") {
  const auto two = [](std::string_view first, std::string_view second, std::size_t data) {
    return header_error(braces(tensor("a", "[2]", first) + ',' + tensor("b", "[2]", second)), data);
  };
  CHECK(two("[0,8]", "[8,16]", 16) == "no error");
  CHECK(two("[8,16]", "[0,8]", 16) == "no error");
  CHECK(contains(two("[0,8]", "[4,12]", 12), "tensor b: overlaps another tensor: starts at 4, expected 8"));
  CHECK(contains(two("[0,8]", "[0,8]", 8), "tensor b: overlaps another tensor"));
  CHECK(contains(two("[0,8]", "[9,17]", 17), "tensor b: leaves a hole: starts at 9, expected 8"));
  CHECK(contains(two("[1,9]", "[9,17]", 17), "tensor a: leaves a hole: starts at 1, expected 0"));
  CHECK(contains(two("[0,8]", "[8,16]", 17), "a.st: 1 bytes after the last tensor"));
  CHECK(contains(header_error("{}", 1), "1 bytes after the last tensor"));

  const auto with_empty = [](std::string_view at) {
    return header_error(
        braces(tensor("a", "[2]", "[0,8]") + ',' + tensor("b", "[2]", "[8,16]") + ',' + tensor("empty", "[0]", at)),
        16);
  };
  for (const char* boundary : {"[0,0]", "[8,8]", "[16,16]"}) CHECK(with_empty(boundary) == "no error");
  for (const char* inside : {"[4,4]", "[12,12]"}) CHECK(contains(with_empty(inside), "tensor empty: overlaps"));
  CHECK(contains(with_empty("[17,17]"), "end past the 16 bytes"));
}

TEST_CASE("safetensors: names that a path or a terminal could stumble over") {
  const auto named = [](const std::string& name) { return header_error(braces(tensor(name, "[1]", "[0,4]")), 4); };
  CHECK(named("decoder/middle/0/qkv/weight") == "no error");
  CHECK(named("gr\xc3\xb6\xc3\x9f\x65") == "no error");
  CHECK(contains(named(""), "the name is empty"));
  CHECK(contains(named("a\\u0000b"), "tensor a\\x00b: the name has a control character"));
  CHECK(contains(named("a\\u001b[2J"), "the name has a control character"));
  CHECK(contains(named("\\u007f"), "the name has a control character"));
  CHECK(named(std::string(4096, 'x')) == "no error");
  const std::string long_error = named(std::string(70'000, 'x'));
  CHECK(contains(long_error, "the name is too long"));
  CHECK(long_error.size() < 1000);
}

TEST_CASE("safetensors: many tensors take time in proportion") {
  constexpr int count = 20'000;
  std::string header = "{";
  for (int i = 0; i < count; ++i) {
    header += (i ? "," : "") + tensor("t" + std::to_string(i), "[0]", "[0,0]");
  }
  const ul::byte_vector bytes = file_of(header + '}', 0);
  const auto start = std::chrono::steady_clock::now();
  CHECK(ul::parse_safetensors(bytes, "a.st").tensors.size() == count);
  // A quadratic reader needs a minute for this.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  CHECK(contains(parse_error(bytes, {.tensors = count - 1}), "20000 tensors, the limit is 19999"));
}
