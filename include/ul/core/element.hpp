#pragma once
// The element types of tensors: float, double, two 16-bit storage types that are widened to float for arithmetic, and
// 32-bit integers for labels.

#include <concepts>
#include <cstdint>

#include <ul/core/bits.hpp>

namespace ul {

// The upper half of a float: 8 exponent bits, 7 stored significand bits.
// From float: rounds to nearest, ties to even; a NaN stays a NaN and becomes quiet. To float: exact.
class bf16 {
 public:
  bf16() = default;  // uninitialised, as a float is
  UL_HD constexpr explicit bf16(float x) {
    const std::uint32_t u = ul::bits_of(x);
    const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits_ = static_cast<std::uint16_t>((nan ? u | 0x400000u : u + 0x7fffu + (u >> 16 & 1u)) >> 16);
  }
  UL_HD constexpr explicit operator float() const { return ul::from_bits(std::uint32_t{bits_} << 16); }

  UL_HD static constexpr bf16 from_bits(std::uint16_t bits) {
    bf16 x{};
    x.bits_ = bits;
    return x;
  }
  UL_HD constexpr std::uint16_t bits() const { return bits_; }

  UL_HD friend constexpr bool operator==(bf16 a, bf16 b) { return static_cast<float>(a) == static_cast<float>(b); }

 private:
  std::uint16_t bits_;
};

// IEEE 754 binary16: 5 exponent bits, 10 stored significand bits, largest finite value 65504.
// From float: rounds to nearest, ties to even, overflows to infinity, subnormals included; a NaN stays a NaN and
// becomes quiet. To float: exact.
class fp16 {
 public:
  fp16() = default;  // uninitialised, as a float is
  UL_HD constexpr explicit fp16(float x) {
    const std::uint32_t u = ul::bits_of(x), sign = u >> 16 & 0x8000u;
    bits_ = static_cast<std::uint16_t>(sign | magnitude(u & 0x7fffffffu));
  }
  UL_HD constexpr explicit operator float() const {
    const std::uint32_t sign = (std::uint32_t{bits_} & 0x8000u) << 16, exponent = bits_ >> 10 & 0x1fu;
    const std::uint32_t fraction = bits_ & 0x3ffu;
    if (exponent == 0) return ul::from_bits(sign | ul::bits_of(ul::to_number(fraction) * 0x1p-24f));
    if (exponent < 31) return ul::from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return ul::from_bits(sign | 0x7f800000u | fraction << 13 | (fraction != 0 ? 0x400000u : 0u));
  }

  UL_HD static constexpr fp16 from_bits(std::uint16_t bits) {
    fp16 x{};
    x.bits_ = bits;
    return x;
  }
  UL_HD constexpr std::uint16_t bits() const { return bits_; }

  UL_HD friend constexpr bool operator==(fp16 a, fp16 b) { return static_cast<float>(a) == static_cast<float>(b); }

 private:
  // The 15 lower bits for the bits u of a float without its sign.
  UL_HD static constexpr std::uint32_t magnitude(std::uint32_t u) {
    if (u > 0x7f800000u) return 0x7e00u | (u >> 13 & 0x3ffu);
    if (u >= 0x47800000u) return 0x7c00u;                                            // 2^16 and above
    if (u >= 0x38800000u) return (u - 0x38000000u + 0xfffu + (u >> 13 & 1u)) >> 13;  // 2^-14: normal; may carry to inf
    const std::uint32_t shift = 126u - (u >> 23);  // the value is significand * 2^-shift in units of 2^-24
    if (shift > 24u) return 0;                     // below half a unit
    const std::uint32_t significand = (u & 0x7fffffu) | 0x800000u, half = 1u << (shift - 1u);
    const std::uint32_t quotient = significand >> shift;
    return (significand + half - 1u + (quotient & 1u)) >> shift;
  }

  std::uint16_t bits_;
};

// What a tensor may hold.
template <class T>
concept element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, bf16> || std::same_as<T, fp16> ||
                  std::same_as<T, std::int32_t>;

namespace detail {

template <element T>
struct element_traits;
template <>
struct element_traits<float> {
  using compute = float;
  static constexpr const char* name = "float32";
};
template <>
struct element_traits<double> {
  using compute = double;
  static constexpr const char* name = "float64";
};
template <>
struct element_traits<bf16> {
  using compute = float;
  static constexpr const char* name = "bfloat16";
};
template <>
struct element_traits<fp16> {
  using compute = float;
  static constexpr const char* name = "float16";
};
template <>
struct element_traits<std::int32_t> {
  using compute = std::int32_t;
  static constexpr const char* name = "int32";
};

}  // namespace detail

// "float32", "float64", "bfloat16", "float16", "int32".
template <element T>
inline constexpr const char* element_name = detail::element_traits<T>::name;

// The type arithmetic, sums and statistics over T are done in.
template <element T>
using compute_t = typename detail::element_traits<T>::compute;

// The type the optimiser keeps a parameter of type T in, with its moments and average.
template <element T>
using master_t = compute_t<T>;

}  // namespace ul
