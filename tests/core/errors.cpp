// error, checked and extents: what they compute and what they say.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <ul/core/checked.hpp>
#include <ul/core/extents.hpp>

namespace {

struct colour {
  int hue;
  friend void append_to(ul::message& out, const colour& c) { out.append(c.hue == 0 ? "red" : "other", c.hue ? 5 : 3); }
};

std::string text(const ul::message& m) { return {m.c_str(), m.size()}; }

}  // namespace

TEST_CASE("a message joins text, numbers and user parts without the locale") {
  CHECK(text(ul::describe("x has ", 3, " of ", 4u, ' ', std::string("units"), std::string_view(", ok"))) ==
        "x has 3 of 4 units, ok");
  CHECK(text(ul::describe(0.5, ' ', 1e300, ' ', -7, ' ', true, ' ', false)) == "0.5 1e+300 -7 true false");
  CHECK(text(ul::describe(ul::extent{-9223372036854775807 - 1})) == "-9223372036854775808");
  CHECK(text(ul::describe(colour{0}, '/', colour{1})) == "red/other");
  CHECK(text(ul::describe()).empty());
}

TEST_CASE("a message that is too long is cut") {
  const auto m = ul::describe(std::string(5000, 'a'), "tail");
  CHECK(m.size() == ul::message::capacity - 1);
  CHECK(text(m) == std::string(ul::message::capacity - 1, 'a'));
}

TEST_CASE("fail throws ul::error, which is a std::exception") {
  CHECK_THROWS_WITH_AS(ul::fail("linear: x has ", 3, " features, weight expects ", 4),
                       "linear: x has 3 features, weight expects 4", ul::error);
  CHECK_THROWS_AS(ul::fail("x"), std::exception);
  CHECK(std::string(ul::error("plain").what()) == "plain");
}

TEST_CASE("checked arithmetic") {
  CHECK(ul::checked_mul(1 << 20, 1 << 20, "n") == ul::extent{1} << 40);
  CHECK(ul::checked_mul(0, ul::extent_max, "n") == 0);
  CHECK(ul::checked_add(ul::extent_max - 1, 1, "n") == ul::extent_max);
  CHECK_THROWS_WITH_AS(ul::checked_mul(ul::extent{1} << 32, ul::extent{1} << 31, "conv"),
                       "conv: 4294967296 x 2147483648 overflows", ul::error);
  CHECK_THROWS_WITH_AS(ul::checked_add(ul::extent_max, 1, "concat"), "concat: 9223372036854775807 + 1 overflows",
                       ul::error);
  CHECK(ul::ceil_div(0, 4) == 0);
  CHECK(ul::ceil_div(1, 4) == 1);
  CHECK(ul::ceil_div(8, 4) == 2);
  CHECK(ul::ceil_div(ul::extent_max, 1) == ul::extent_max);
  CHECK(ul::round_up(9, 8, "n") == 16);
  CHECK(ul::round_up(16, 8, "n") == 16);
  CHECK_THROWS_AS(ul::round_up(ul::extent_max, 64, "pool"), ul::error);
}

TEST_CASE("extents") {
  const ul::extents scalar, e{16, 28, 27, 3};
  CHECK(scalar.rank() == 0);
  CHECK(scalar.size() == 1);
  CHECK(e.rank() == 4);
  CHECK(e.size() == 16 * 28 * 27 * 3);
  CHECK(e[0] == 16);
  CHECK(e[-1] == 3);
  CHECK(e[-4] == 16);
  CHECK(e.product(1, 3) == 28 * 27);
  CHECK(e.product(2, 2) == 1);
  CHECK(e.with(-1, 8) == ul::extents{16, 28, 27, 8});
  CHECK(e.without(1) == ul::extents{16, 27, 3});
  CHECK(e.without(-1) == ul::extents{16, 28, 27});
  CHECK_FALSE(e == ul::extents{16, 28, 27});
  CHECK_FALSE(ul::extents{1} == scalar);
  CHECK(ul::extents{5, 0, 7}.size() == 0);
  CHECK(text(ul::describe(e, scalar, ul::extents{2})) == "(16, 28, 27, 3)()(2)");
  ul::extent sum = 0;
  for (const ul::extent n : e) sum += n;
  CHECK(sum == 16 + 28 + 27 + 3);
}

TEST_CASE("extents refuse what cannot be a shape") {
  constexpr ul::extent big = ul::extent{1} << 32;
  CHECK_THROWS_WITH_AS((ul::extents{1, 2, 3, 4, 5, 6}), "extents: rank is 6, expected at most 5", ul::error);
  CHECK_THROWS_WITH_AS((ul::extents{2, -3}), "extents: axis 1 is -3, expected at least 0", ul::error);
  CHECK_THROWS_WITH_AS((ul::extents{big, big}), "extents: 4294967296 x 4294967296 overflows", ul::error);
  CHECK_THROWS_AS((ul::extents{big, 0, big}), ul::error);
  const ul::extents e{2, 3};
  CHECK_THROWS_WITH_AS(e[2], "extents: axis 2 of (2, 3) does not exist", ul::error);
  CHECK_THROWS_WITH_AS(e[-3], "extents: axis -3 of (2, 3) does not exist", ul::error);
  CHECK_THROWS_AS(e.with(0, -1), ul::error);
  CHECK_THROWS_AS(e.with(0, ul::extent_max), ul::error);
  CHECK_THROWS_AS(e.without(5), ul::error);
  CHECK_THROWS_AS(ul::extents{}[0], ul::error);
  CHECK(e.size() == 6);
}

TEST_CASE("an error tells its kind") {
  const auto kind_of = [](auto throwing) {
    try {
      throwing();
    } catch (const ul::error& e) {
      CHECK(text(ul::describe(e.what())) == "x is 3");
      return e.kind();
    }
    return ul::error_kind::usage;
  };
  CHECK(kind_of([] { ul::fail("x is ", 3); }) == ul::error_kind::usage);
  CHECK(kind_of([] { ul::fail_as(ul::error_kind::locked, "x is ", 3); }) == ul::error_kind::locked);
}
