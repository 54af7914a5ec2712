#pragma once
// NPY, the array files of NumPy, versions 1.0 to 3.0. Little-endian numbers only; nothing in a file is ever executed:
// pickled objects are refused. Source: numpy.lib.format (NEP 1).

#include <bit>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <ul/core/extents.hpp>
#include <ul/io/bytes.hpp>
#include <ul/io/read_file.hpp>
#include <ul/io/write_file.hpp>

namespace ul {

enum class npy_type { float16, float32, float64, uint8, int32, int64 };

// Bytes of one element, and the type's name in a file.
constexpr extent npy_size(npy_type type) {
  constexpr extent sizes[] = {2, 4, 8, 1, 4, 8};
  return sizes[static_cast<int>(type)];
}
constexpr std::string_view npy_descr(npy_type type) {
  constexpr std::string_view names[] = {"<f2", "<f4", "<f8", "|u1", "<i4", "<i8"};
  return names[static_cast<int>(type)];
}

struct npy_array {
  npy_type type;
  extents axes;
  byte_vector bytes;  // axes.size() elements, the last axis fastest

  // The elements as T, which must have the size of the file's type.
  template <class T>
  std::span<const T> values() const {
    if (static_cast<extent>(sizeof(T)) != npy_size(type)) {
      fail("npy: elements have ", npy_size(type), " bytes (", npy_descr(type), "), asked for ", sizeof(T));
    }
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

namespace detail {

// The header: a Python dictionary with exactly the keys descr, fortran_order and shape, in any order.
class npy_header {
 public:
  npy_header(std::string_view text, const byte_cursor& cursor) : rest_(text), cursor_(cursor) {
    expect('{');
    while (!take('}')) {
      const std::string_view key = parse_string();
      expect(':');
      if (key == "descr" && descr.empty()) {
        skip_space();
        if (rest_.starts_with('[')) cursor_.fail_here("records of several fields are not supported");
        descr = parse_string();
      } else if (key == "fortran_order" && !has_order_) {
        fortran = parse_boolean();
        has_order_ = true;
      } else if (key == "shape" && !has_shape_) {
        parse_shape();
        has_shape_ = true;
      } else {
        cursor_.fail_here("unknown or duplicate header key '", printable(key), "'");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) unexpected("the end of the header");
    if (descr.empty() || !has_order_ || !has_shape_) {
      cursor_.fail_here("the header needs the keys descr, fortran_order and shape");
    }
  }

  std::string_view descr;
  bool fortran = false;
  extents axes;

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[noreturn]] void unexpected(std::string_view expected) const {
    cursor_.fail_here("bad header: expected ", expected, ", found \"", printable(rest_, 20), "\"");
  }
  void expect(char c) {
    if (!take(c)) unexpected(std::string_view(&c, 1));
  }
  std::string_view parse_string() {
    skip_space();
    const char quote = rest_.empty() ? ' ' : rest_[0];
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) unexpected("a string");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool parse_boolean() {
    skip_space();
    const bool yes = rest_.starts_with("True");
    if (!yes && !rest_.starts_with("False")) unexpected("True or False");
    rest_.remove_prefix(yes ? 4 : 5);
    return yes;
  }
  void parse_shape() {
    extent found[extents::max_rank], rank = 0, size = 1;
    expect('(');
    while (!take(')')) {
      skip_space();
      extent n = -1;
      const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (problem == std::errc::result_out_of_range) cursor_.fail_here("an extent does not fit 64 bits");
      if (problem != std::errc{} || n < 0) unexpected("an extent of at least 0");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      if (rank == extents::max_rank) cursor_.fail_here("more axes than the limit of ", extents::max_rank);
      if (n > 0 && size > extent_max / n) cursor_.fail_here("extents overflow: ", size, " x ", n);
      if (n > 0) size *= n;
      found[rank++] = n;
      if (take(',')) continue;
      expect(')');
      break;
    }
    axes = extents(found, rank);
  }

  std::string_view rest_;
  const byte_cursor& cursor_;
  bool has_order_ = false, has_shape_ = false;
};

inline npy_type npy_type_of(std::string_view descr, const byte_cursor& cursor) {
  for (int t = 0; t < 6; ++t) {
    if (npy_descr(static_cast<npy_type>(t)) == descr) return static_cast<npy_type>(t);
  }
  if (descr == "<u1") return npy_type::uint8;
  const char* why = descr.find('O') != descr.npos ? "pickled objects are refused; "
                    : descr.starts_with('>')      ? "big-endian numbers are not supported; "
                                                  : "";
  cursor.fail_here("element type '", printable(descr), "': ", why, "expected <f2, <f4, <f8, |u1, <i4 or <i8");
}

// Elements stored with the first axis fastest -> with the last axis fastest.
inline byte_vector from_fortran(byte_view stored, const extents& axes, extent element) {
  byte_vector out(stored.size());
  extent at[extents::max_rank] = {};
  for (extent target = 0; target < axes.size(); ++target) {
    extent source = 0;
    for (extent axis = axes.rank(); axis-- > 0;) source = source * axes[axis] + at[axis];
    std::memcpy(out.data() + target * element, stored.data() + source * element, static_cast<std::size_t>(element));
    for (extent axis = axes.rank(); axis-- > 0 && ++at[axis] == axes[axis];) at[axis] = 0;
  }
  return out;
}

}  // namespace detail

// bytes -> one array, in C order whatever the file's order. `name` stands in the errors. Throws ul::error on another
// version, a header beyond 1 MiB or not exactly of the three keys, another element type, more than extents::max_rank
// axes, or a payload of another size than the shape's.
inline npy_array parse_npy(byte_view bytes, std::string_view name) {
  static_assert(std::endian::native == std::endian::little);
  byte_cursor cursor(bytes, name);
  if (!starts_with(bytes, "\x93NUMPY")) cursor.fail_here("bad magic: this is not an NPY file");
  cursor.take(6, "magic");
  const int major = cursor.little<std::uint8_t>("version"), minor = cursor.little<std::uint8_t>("version");
  if (major < 1 || major > 3 || minor != 0) {
    cursor.fail_here("version is ", major, ".", minor, ", expected 1.0, 2.0 or 3.0");
  }
  const extent length = major == 1 ? cursor.little<std::uint16_t>("header length")
                                   : extent{cursor.little<std::uint32_t>("header length")};
  if (length > 1 << 20) cursor.fail_here("the header has ", length, " bytes, the limit is 1048576");
  const detail::npy_header header(as_text(cursor.take(length, "header")), cursor);
  const npy_type type = detail::npy_type_of(header.descr, cursor);
  const extent elements = header.axes.size(), element = npy_size(type);
  if (elements > extent_max / element || elements * element != cursor.remaining()) {
    cursor.fail_here("shape ", header.axes, " of ", npy_descr(type), ": expected ", elements, " x ", element,
                     " bytes, found ", cursor.remaining());
  }
  const byte_view payload = cursor.take(cursor.remaining(), "elements");
  if (header.fortran) return {type, header.axes, detail::from_fortran(payload, header.axes, element)};
  return {type, header.axes, byte_vector(payload.begin(), payload.end())};
}

// Elements in C order -> the bytes of an NPY file, version 1.0. `elements` holds axes.size() of them.
inline byte_vector encode_npy(const void* elements, npy_type type, const extents& axes) {
  std::string header = describe("{'descr': '", npy_descr(type), "', 'fortran_order': False, 'shape': (").c_str();
  for (extent axis = 0; axis < axes.rank(); ++axis) header += describe(axis > 0 ? " " : "", axes[axis], ",").c_str();
  if (axes.rank() > 1) header.pop_back();
  header += "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');  // the elements start at a multiple of 64
  header += '\n';
  byte_vector out;
  append_bytes(out, as_bytes(std::string_view("\x93NUMPY\x01\0", 8)));
  append_little(out, static_cast<std::uint16_t>(header.size()));
  append_bytes(out, as_bytes(header));
  const auto size = static_cast<std::size_t>(checked_mul(axes.size(), npy_size(type), "npy"));
  append_bytes(out, {static_cast<const unsigned char*>(elements), size});
  return out;
}

// One file, whole; ul::error as read_file, parse_npy and write_file throw it.
inline npy_array read_npy(const std::string& path, extent limit = default_file_limit) {
  return parse_npy(read_file(path, limit), path);
}
inline void write_npy(const std::string& path, const void* elements, npy_type type, const extents& axes) {
  write_file(path, encode_npy(elements, type, axes));
}

}  // namespace ul
