// bf16 and fp16 against their definitions in real arithmetic, over every value and every rounding boundary.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <ul/core/element.hpp>
#include <ul/core/philox.hpp>

namespace {

using ul::bf16, ul::fp16;

// A format by its numbers of stored significand and exponent bits.
template <class T>
constexpr int significand_bits = std::is_same_v<T, bf16> ? 7 : 10;
template <class T>
constexpr int exponent_bits = 15 - significand_bits<T>;
template <class T>
constexpr std::uint16_t infinity_bits = static_cast<std::uint16_t>(((1 << exponent_bits<T>)-1) << significand_bits<T>);

// The definition of IEEE 754, 3.4, for bits without a sign below infinity_bits.
template <class T>
double value(int bits) {
  const int exponent = bits >> significand_bits<T>, fraction = bits & ((1 << significand_bits<T>)-1);
  const int bias = (1 << (exponent_bits<T> - 1)) - 1;
  if (exponent == 0) return std::ldexp(fraction, 1 - bias - significand_bits<T>);
  return std::ldexp(fraction + (1 << significand_bits<T>), exponent - bias - significand_bits<T>);
}

template <class T>
std::uint16_t round(double x) {
  return T(static_cast<float>(x)).bits();
}

}  // namespace

TEST_CASE_TEMPLATE("every 16-bit value widens exactly and survives the way back", T, bf16, fp16) {
  int wrong = 0, nans = 0;
  for (int i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i), magnitude = static_cast<std::uint16_t>(bits & 0x7fff);
    const float wide = static_cast<float>(T::from_bits(bits));
    const std::uint16_t back = T(wide).bits();
    if (magnitude > infinity_bits<T>) {
      ++nans;
      const int quiet = 1 << (significand_bits<T> - 1);
      wrong += !std::isnan(wide) || back != (bits | quiet);
    } else {
      const double exact =
          magnitude == infinity_bits<T> ? std::numeric_limits<double>::infinity() : value<T>(magnitude);
      wrong += wide != (bits & 0x8000 ? -exact : exact) || std::signbit(wide) != ((bits & 0x8000) != 0) || back != bits;
    }
  }
  CHECK(wrong == 0);
  CHECK(nans == 2 * ((1 << significand_bits<T>)-1));
}

TEST_CASE_TEMPLATE("floats round to nearest, ties to even, at every boundary", T, bf16, fp16) {
  const float infinity = std::numeric_limits<float>::infinity();
  int wrong = 0;
  for (std::uint16_t low = 0; low < infinity_bits<T>; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);  // the last `high` is infinity, standing for the next power
    const double gap =
        std::ldexp(1.0, std::ilogb(std::max(value<T>(low), value<T>(1 << significand_bits<T>))) - significand_bits<T>);
    const double middle = value<T>(low) + gap / 2;
    const float tie = static_cast<float>(middle);
    REQUIRE(tie == middle);
    const std::uint16_t even = low % 2 == 0 ? low : high;
    wrong += round<T>(tie) != even || round<T>(-tie) != (even | 0x8000);
    wrong += round<T>(std::nextafter(tie, 0.0f)) != low || round<T>(std::nextafter(tie, infinity)) != high;
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("random floats go to the nearest value", T, bf16, fp16) {
  std::vector<double> table;
  for (int i = 0; i < infinity_bits<T>; ++i) table.push_back(value<T>(i));
  int wrong = 0;
  for (std::uint32_t i = 0; i < 50000; ++i)
    for (const std::uint32_t word : ul::philox4x32<std::uint32_t>({{i, 0, 0, 0}}, 1, 2).word) {
      const double x = std::fabs(std::bit_cast<float>(word));
      if (!(x <= table.back())) continue;
      const double found = value<T>(round<T>(x));
      const auto above = std::lower_bound(table.begin(), table.end(), x);
      const double nearest = above == table.begin() ? *above : std::min(*above - x, x - *(above - 1));
      wrong += std::fabs(found - x) > (above == table.begin() ? 0 : nearest);
    }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("special values", T, bf16, fp16) {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(T(infinity).bits() == infinity_bits<T>);
  CHECK(T(-infinity).bits() == (infinity_bits<T> | 0x8000));
  CHECK(T(std::numeric_limits<float>::max()).bits() == infinity_bits<T>);
  CHECK(T(0.0f).bits() == 0);
  CHECK(T(-0.0f).bits() == 0x8000);
  CHECK(T(std::numeric_limits<float>::denorm_min()).bits() == 0);
  for (const std::uint32_t nan : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0x7fc00000u}) {
    const std::uint16_t bits = T(std::bit_cast<float>(nan)).bits();
    CHECK((bits & 0x7fff) > infinity_bits<T>);
    CHECK((bits & (1 << (significand_bits<T> - 1))) != 0);
    CHECK((bits >> 15) == (nan >> 31));
  }
  CHECK(T(0.0f) == T(-0.0f));
  CHECK_FALSE(T::from_bits(0x7fff) == T::from_bits(0x7fff));
}

static_assert(static_cast<float>(bf16(1.00390625f)) == 1.0f && static_cast<float>(fp16(65504.0f)) == 65504.0f);
static_assert(fp16(65519.996f).bits() == 0x7bff && fp16(65520.0f).bits() == 0x7c00);
static_assert(sizeof(bf16) == 2 && sizeof(fp16) == 2 && std::is_trivial_v<bf16> && std::is_trivial_v<fp16>);
static_assert(!std::is_convertible_v<float, bf16> && !std::is_convertible_v<fp16, float>);
static_assert(ul::element<float> && ul::element<double> && ul::element<bf16> && ul::element<fp16>);
static_assert(ul::element<std::int32_t> && !ul::element<std::int64_t> && !ul::element<long double> &&
              !ul::element<const float>);
static_assert(std::is_same_v<ul::compute_t<bf16>, float> && std::is_same_v<ul::compute_t<double>, double>);
static_assert(std::is_same_v<ul::master_t<fp16>, float> && std::is_same_v<ul::master_t<float>, float>);

TEST_CASE("names of element types") {
  CHECK(std::string(ul::element_name<float>) == "float32");
  CHECK(std::string(ul::element_name<double>) == "float64");
  CHECK(std::string(ul::element_name<bf16>) == "bfloat16");
  CHECK(std::string(ul::element_name<fp16>) == "float16");
  CHECK(std::string(ul::element_name<std::int32_t>) == "int32");
}
