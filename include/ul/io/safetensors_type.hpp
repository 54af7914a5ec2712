#pragma once
// The element types of safetensors files, with their names there and their sizes.
// Source: huggingface/safetensors, safetensors/src/tensor.rs (Dtype). Its types of less than a byte are left out.

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ul/core/element.hpp>
#include <ul/core/extents.hpp>

namespace ul {

static_assert(std::endian::native == std::endian::little, "elements are copied as they stand in the file");

enum class safetensors_type : unsigned char {
  boolean,
  uint8,
  int8,
  float8_e5m2,
  float8_e4m3,
  float8_e8m0,
  int16,
  uint16,
  float16,
  bfloat16,
  int32,
  uint32,
  float32,
  complex64,
  float64,
  int64,
  uint64
};

namespace detail {
struct safetensors_type_row {
  std::string_view name;
  extent bytes;
};
// One row for each enumerator, in their order.
inline constexpr safetensors_type_row safetensors_types[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
    {"F32", 4},  {"C64", 8}, {"F64", 8}, {"I64", 8},     {"U64", 8},
};
}  // namespace detail

// "F32", and the bytes of one element.
constexpr std::string_view safetensors_name(safetensors_type type) {
  return detail::safetensors_types[static_cast<std::size_t>(type)].name;
}
constexpr extent safetensors_size(safetensors_type type) {
  return detail::safetensors_types[static_cast<std::size_t>(type)].bytes;
}

// The type of that name, if there is one.
constexpr std::optional<safetensors_type> find_safetensors_type(std::string_view name) {
  for (std::size_t i = 0; i < std::size(detail::safetensors_types); ++i) {
    if (detail::safetensors_types[i].name == name) return static_cast<safetensors_type>(i);
  }
  return std::nullopt;
}

namespace detail {
template <class T>
constexpr safetensors_type safetensors_type_for() {
  if constexpr (std::is_same_v<T, float>)
    return safetensors_type::float32;
  else if constexpr (std::is_same_v<T, double>)
    return safetensors_type::float64;
  else if constexpr (std::is_same_v<T, bf16>)
    return safetensors_type::bfloat16;
  else if constexpr (std::is_same_v<T, fp16>)
    return safetensors_type::float16;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return safetensors_type::uint8;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return safetensors_type::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return safetensors_type::int64;
  else
    static_assert(sizeof(T) == 0, "no element type of safetensors is meant for T");
}
}  // namespace detail

// The type that holds elements T: float, double, bf16, fp16, and integers of 8 (unsigned), 32 and 64 bits.
template <class T>
inline constexpr safetensors_type safetensors_type_of = detail::safetensors_type_for<T>();

}  // namespace ul
