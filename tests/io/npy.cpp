#include <doctest/doctest.h>
#include <ul/io/npy.hpp>

#include <numeric>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

// A file with any header and payload, as NumPy lays it out.
ul::byte_vector npy(std::string_view header, const std::vector<float>& payload, int major = 1) {
  ul::byte_vector out;
  ul::append_bytes(out, ul::as_bytes("\x93NUMPY"));
  out.push_back(static_cast<unsigned char>(major));
  out.push_back(0);
  const auto length = static_cast<std::uint32_t>(header.size());
  if (major == 1) {
    ul::append_little(out, static_cast<std::uint16_t>(length));
  } else {
    ul::append_little(out, length);
  }
  ul::append_bytes(out, ul::as_bytes(header));
  ul::append_bytes(out, {reinterpret_cast<const unsigned char*>(payload.data()), payload.size() * 4});
  return out;
}

std::string npy_error(const ul::byte_vector& bytes) {
  return error_of([&] { ul::parse_npy(bytes, "a.npy"); });
}

std::string header_error(std::string_view header) { return npy_error(npy(header, {1, 2, 3, 4, 5, 6})); }

constexpr std::string_view plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

}  // namespace

TEST_CASE("npy: what is written comes back, for every type and rank") {
  std::vector<double> values(24);
  std::iota(values.begin(), values.end(), -3.5);
  for (const ul::extents& axes :
       {ul::extents{}, ul::extents{24}, ul::extents{2, 3}, ul::extents{1, 2, 3, 2, 2}, ul::extents{3, 0}}) {
    const ul::byte_vector file = ul::encode_npy(values.data(), ul::npy_type::float64, axes);
    CHECK((file.size() - static_cast<std::size_t>(8 * axes.size())) % 64 == 0);
    const ul::npy_array array = ul::parse_npy(file, "a.npy");
    CHECK(array.axes == axes);
    CHECK(array.type == ul::npy_type::float64);
    const auto read = array.values<double>();
    REQUIRE(static_cast<ul::extent>(read.size()) == axes.size());
    CHECK(std::equal(read.begin(), read.end(), values.begin()));
  }
  for (int t = 0; t < 6; ++t) {
    const auto type = static_cast<ul::npy_type>(t);
    const ul::npy_array array = ul::parse_npy(ul::encode_npy(values.data(), type, {3}), "a.npy");
    CHECK(array.type == type);
    CHECK(std::memcmp(array.bytes.data(), values.data(), static_cast<std::size_t>(3 * ul::npy_size(type))) == 0);
  }
  const support::scratch directory;
  ul::write_npy(directory / "a.npy", values.data(), ul::npy_type::float64, {4, 6});
  CHECK(ul::read_npy(directory / "a.npy").values<double>()[23] == 19.5);
  CHECK(contains(error_of([&] { ul::read_npy(directory / "a.npy").values<float>(); }),
                 "elements have 8 bytes (<f8), asked for 4"));
}

TEST_CASE("npy: the bytes NumPy writes") {
  // numpy.save of numpy.arange(3, dtype='u1'), NumPy 1.24.
  const std::string header =
      "\x93NUMPY" + std::string("\x01\0v\0", 4) + "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
  const std::string file = header + std::string(127 - header.size(), ' ') + "\n" + std::string("\0\1\2", 3);
  const unsigned char values[] = {0, 1, 2};
  const ul::byte_vector ours = ul::encode_npy(values, ul::npy_type::uint8, {3});
  CHECK(ul::parse_npy(ul::as_bytes(file), "a.npy").bytes == ul::byte_vector{0, 1, 2});
  CHECK(ul::as_text(ours).substr(10, header.size() - 10) == header.substr(10));
}

TEST_CASE("npy: versions, key order and Fortran order") {
  const std::vector<float> payload{1, 2, 3, 4, 5, 6};
  for (int major = 1; major <= 3; ++major) {
    CHECK(ul::parse_npy(npy(plain, payload, major), "a.npy").values<float>()[4] == 5);
  }
  const auto shuffled = npy("{\"shape\":(2,3),'fortran_order':True,'descr':'<f4'}", payload);
  const auto array = ul::parse_npy(shuffled, "a.npy");
  const auto values = array.values<float>();
  CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{1, 3, 5, 2, 4, 6});
  const auto cube = ul::parse_npy(npy("{'descr':'<f4','fortran_order':True,'shape':(1,3,2)}", payload), "a.npy");
  CHECK(cube.values<float>()[1] == 4);
  CHECK(cube.values<float>()[2] == 2);
  CHECK(ul::parse_npy(npy("{'descr':'<f4','fortran_order':False,'shape':()}", {7}), "a.npy").axes.rank() == 0);
}

TEST_CASE("npy: bad files are named") {
  CHECK(contains(npy_error({}), "a.npy: byte 0: bad magic"));
  CHECK(contains(npy_error(npy(plain, {}, 4)), "version is 4.0, expected 1.0, 2.0 or 3.0"));
  CHECK(contains(npy_error(npy(plain, {1, 2, 3, 4, 5})), "shape (2, 3) of <f4: expected 6 x 4 bytes, found 20"));
  CHECK(contains(npy_error(npy(plain, {1, 2, 3, 4, 5, 6, 7})), "found 28"));
  ul::byte_vector huge = npy(plain, {}, 2);
  huge[8] = huge[9] = huge[10] = 0xff;
  CHECK(contains(npy_error(huge), "the header has 16777215 bytes, the limit is 1048576"));
  ul::byte_vector cut = npy(plain, {});
  cut[8] = 200;
  CHECK(contains(npy_error(cut), "header: needs 200 bytes"));
}

TEST_CASE("npy: hostile headers are refused") {
  const auto with_type = [](std::string_view type) {
    return header_error("{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (2, 3)}");
  };
  CHECK(contains(with_type("|O"), "pickled objects are refused"));
  CHECK(contains(with_type(">f4"), "big-endian numbers are not supported"));
  CHECK(contains(with_type("<c8"), "element type '<c8': expected <f2"));
  CHECK(contains(header_error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"),
                 "records of several fields"));
  const auto with_shape = [](std::string_view shape) {
    return header_error("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + "}");
  };
  CHECK(contains(with_shape("(-1, 3)"), "expected an extent of at least 0"));
  CHECK(contains(with_shape("(2.0, 3)"), "expected ), found \".0"));
  CHECK(contains(with_shape("(99999999999999999999,)"), "does not fit 64 bits"));
  CHECK(contains(with_shape("(8589934592, 8589934592)"), "extents overflow: 8589934592 x 8589934592"));
  CHECK(contains(with_shape("(0, 8589934592, 8589934592)"), "extents overflow"));
  CHECK(contains(with_shape("(4611686018427387904,)"), "expected 4611686018427387904 x 4 bytes"));
  CHECK(contains(with_shape("(1, 1, 1, 1, 1, 6)"), "more axes than the limit of 5"));
  CHECK(contains(with_shape("6"), "expected (, found \"6}"));
  CHECK(contains(header_error("{'descr': '<f4', 'fortran_order': 1, 'shape': (6,)}"), "expected True or False"));
  CHECK(contains(header_error("{'descr': '<f4', 'shape': (6,)}"), "the header needs the keys"));
  CHECK(contains(header_error("{'descr': '<f4', 'descr': '<f4', 'shape': (6,)}"),
                 "unknown or duplicate header key 'descr'"));
  CHECK(contains(header_error("{'code': __import__('os')}"), "unknown or duplicate header key 'code'"));
  CHECK(contains(header_error("{'descr': '<f4"), "expected a string"));
  CHECK(contains(header_error(std::string(plain) + "x"), "expected the end of the header, found \"x\""));
  CHECK(contains(header_error(""), "expected {, found \"\""));
}

TEST_CASE("npy: damaged files give an error or an array") {
  const auto parse = [](ul::byte_view bytes) {
    const ul::npy_array array = ul::parse_npy(bytes, "a.npy");
    CHECK(array.axes.size() * ul::npy_size(array.type) == static_cast<ul::extent>(array.bytes.size()));
  };
  const ul::byte_vector good = npy(plain, {1, 2, 3, 4, 5, 6});
  CHECK(support::torture(good, parse) >= static_cast<int>(good.size()) + 1);
  support::torture(npy("{'descr':'<f4','fortran_order':True,'shape':(1,3,2)}", {1, 2, 3, 4, 5, 6}), parse);
}
