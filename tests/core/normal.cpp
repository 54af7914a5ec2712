// The normals: accuracy, distribution, and the same bits for scalars and packs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <ul/core/normal.hpp>

namespace {

using real = long double;

constexpr double z_limit = 4.892;  // two-sided normal quantile at probability 1e-6; seeds are fixed
constexpr real two_pi = 6.283185307179586476925286766559L;

// cos and sin of t turns, reduced exactly to one quadrant first.
void turn(real t, real& cosine, real& sine) {
  const real quarter = std::floor(4 * t + 0.5L);
  const real c = std::cos((t - quarter / 4) * two_pi), s = std::sin((t - quarter / 4) * two_pi);
  const int q = static_cast<int>(quarter) & 3;
  cosine = q == 0 ? c : q == 1 ? -s : q == 2 ? -c : s;
  sine = q == 0 ? s : q == 1 ? c : q == 2 ? -s : -c;
}

template <class T>
double ulps(T found, real truth) {
  const T near = std::fabs(static_cast<T>(truth));
  const T unit = std::nextafter(near, std::numeric_limits<T>::infinity()) - near;
  return static_cast<double>(std::fabs(found - truth) / unit);
}

// A pack of four lanes, brought from outside as a backend brings its own.
namespace outside {

template <class T>
struct four {
  using value_type = T;
  T lane[4];
  four() = default;
  explicit four(T x) : lane{x, x, x, x} {}
};

template <class R, class T, class F, class... Rest>
four<R> each(F f, const four<T>& a, const Rest&... rest) {
  four<R> r;
  for (int i = 0; i < 4; ++i) r.lane[i] = f(a.lane[i], rest.lane[i]...);
  return r;
}

using numbers = four<float>;
using words = four<std::uint32_t>;

numbers operator+(numbers a, numbers b) {
  return each<float>([](float x, float y) { return x + y; }, a, b);
}
numbers operator-(numbers a, numbers b) {
  return each<float>([](float x, float y) { return x - y; }, a, b);
}
numbers operator*(numbers a, numbers b) {
  return each<float>([](float x, float y) { return x * y; }, a, b);
}
numbers fma(numbers a, numbers b, numbers c) {
  return each<float>([](float x, float y, float z) { return std::fma(x, y, z); }, a, b, c);
}
numbers sqrt(numbers a) {
  return each<float>([](float x) { return std::sqrt(x); }, a);
}
using word = std::uint32_t;
words operator+(words a, words b) {
  return each<word>([](word x, word y) { return x + y; }, a, b);
}
words operator-(words a, words b) {
  return each<word>([](word x, word y) { return x - y; }, a, b);
}
words operator&(words a, words b) {
  return each<word>([](word x, word y) { return x & y; }, a, b);
}
words operator|(words a, words b) {
  return each<word>([](word x, word y) { return x | y; }, a, b);
}
words operator^(words a, words b) {
  return each<word>([](word x, word y) { return x ^ y; }, a, b);
}
words shift_left(words a, int n) {
  return each<word>([n](word x) { return x << n; }, a);
}
words shift_right(words a, int n) {
  return each<word>([n](word x) { return x >> n; }, a);
}
words bits_of(numbers a) {
  return each<word>([](float x) { return ul::bits_of(x); }, a);
}
numbers from_bits(words a) {
  return each<float>([](word x) { return ul::from_bits(x); }, a);
}
numbers to_number(words a) {
  return each<float>([](word x) { return ul::to_number(x); }, a);
}
numbers signed_from_bit(words a, int n) {
  return each<float>([n](word x) { return ul::signed_from_bit(x, n); }, a);
}
numbers select_by_bit(words u, int n, numbers a, numbers b) {
  return each<float>([n](word x, float y, float z) { return ul::select_by_bit(x, n, y, z); }, u, a, b);
}
ul::wide_product<words> multiply_wide(word m, words a) {
  return {each<word>([m](word x) { return ul::multiply_wide(m, x).high; }, a),
          each<word>([m](word x) { return ul::multiply_wide(m, x).low; }, a)};
}

}  // namespace outside

template <class T>
std::vector<T> draw(ul::key k, int n, std::uint64_t first = 0) {
  std::vector<T> x(static_cast<std::size_t>(n));
  ul::fill_normal(x.data(), n, k, first);
  return x;
}

template <class T>
std::uint64_t fnv1a(const std::vector<T>& x) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const T v : x) hash = (hash ^ std::uint64_t{ul::bits_of(v)}) * 0x100000001b3u;
  return hash;
}

double normal_cdf(double x) { return std::erfc(-x * std::sqrt(0.5)) / 2; }

}  // namespace

TEST_CASE("normals are Box-Muller to 4 units in the last place") {
  double worst_single = 0, worst_wide = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const auto block = ul::key(3).block(i);
    const auto& w = block.word;
    real c, s;
    const auto single = ul::normal_from(w[0], w[1]);
    const float u = std::fma(static_cast<float>(w[0] >> 8), 256.0f, static_cast<float>(w[0] & 0xffu) + 0.5f) * 0x1p-32f;
    const real radius = std::sqrt(-2 * std::log(static_cast<real>(u)));
    turn((static_cast<real>(w[1] >> 6) + 0.5L) * 0x1p-26L, c, s);
    worst_single = std::max({worst_single, ulps(single.first, radius * c), ulps(single.second, radius * s)});

    const std::uint64_t a = std::uint64_t{w[1]} << 32 | w[0], b = std::uint64_t{w[3]} << 32 | w[2];
    const auto wide = ul::normal_from(a, b);
    const double v = std::fma(static_cast<double>(a >> 12), 4096.0, static_cast<double>(a & 0xfffu) + 0.5) * 0x1p-64;
    const real wide_radius = std::sqrt(-2 * std::log(static_cast<real>(v)));
    turn((static_cast<real>(b >> 10) + 0.5L) * 0x1p-54L, c, s);
    worst_wide = std::max({worst_wide, ulps(wide.first, wide_radius * c), ulps(wide.second, wide_radius * s)});
  }
  CHECK(worst_single < 4);
  CHECK(worst_wide < 4);
}

TEST_CASE("extreme words give finite normals of the stated magnitude") {
  constexpr std::uint32_t ends[] = {0, 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
  for (const std::uint32_t a : ends)
    for (const std::uint32_t b : ends) {
      const auto p = ul::normal_from(a, b);
      CHECK(std::hypot(p.first, p.second) < 6.76372f);
      const auto q = ul::normal_from(std::uint64_t{a} << 32 | a, std::uint64_t{b} << 32 | b);
      CHECK(std::hypot(q.first, q.second) < 9.49259);
    }
  CHECK(ul::normal_from(std::uint32_t{0}, std::uint32_t{0}).first == doctest::Approx(std::sqrt(66 * std::log(2.0))));
  CHECK(ul::normal_from(std::uint64_t{0}, std::uint64_t{0}).first == doctest::Approx(std::sqrt(130 * std::log(2.0))));
  CHECK(ul::normal_from(~std::uint32_t{0}, std::uint32_t{0}).first == 0);  // u rounds to 1
}

TEST_CASE("the four quadrants are mirror images") {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto block = ul::key(5).block(i);
    const auto& w = block.word;
    const auto p = ul::normal_from(w[0], w[1]), q = ul::normal_from(w[0], w[1] + 0x40000000u);
    CHECK(q.first == -p.second);
    CHECK(q.second == p.first);
  }
}

TEST_CASE("normals are the same bits everywhere, for ever") {
  constexpr std::uint32_t single[] = {0x3998ddc3, 0xbe9c14e8, 0x3fe4f601, 0x3f88b00e, 0x3ec0b7f8, 0xbfa4bccd,
                                      0x3fe7df5c, 0xbefb83ee, 0x404c2eb5, 0x3e2dad6b, 0x3ec27538, 0xbf082f2c,
                                      0xba912719, 0x3faf9b72, 0x3fa0bb2d, 0x3fbfe2ab};
  constexpr std::uint64_t wide[] = {0x3fe4d586bf318c30, 0x3fd8e02314da031b, 0x3fe4e7654a935a2d, 0xbfc6acbbd7f7a70b,
                                    0x3ffcb99a6f92cef0, 0xc0041deebc965119, 0x3ff11ab5691df3e9, 0x3ff46b6d4644d174};
  for (std::uint64_t i = 0; i < 16; ++i) CHECK(ul::bits_of(ul::normal_at<float>(ul::key(7), i)) == single[i]);
  for (std::uint64_t i = 0; i < 8; ++i) CHECK(ul::bits_of(ul::normal_at<double>(ul::key(7), i)) == wide[i]);
  // Agreed on by g++ and clang++, x86-64 with and without fused multiply-add, and aarch64.
  CHECK(fnv1a(draw<float>(ul::key(7), 100000, 12345)) == 0xe4bdfcf7b078fcebu);
  CHECK(fnv1a(draw<double>(ul::key(7), 100000, 12345)) == 0x3f305afee59127c4u);
}

TEST_CASE("a pack draws the bits of the scalar") {
  for (std::uint32_t first = 0; first < 4000; first += 4) {
    outside::words counter{0};
    for (std::uint32_t i = 0; i < 4; ++i) counter.lane[i] = first + i;
    const outside::words zero{0};
    const auto block = ul::philox4x32<outside::words>({{counter, zero, zero, zero}}, 7, 0);
    const auto& w = block.word;
    const auto low = ul::normal_from(w[0], w[1]), high = ul::normal_from(w[2], w[3]);
    const auto u = ul::uniform(w[0]);
    for (std::uint32_t i = 0; i < 4; ++i) {
      float scalar[4];
      ul::fill_normal(scalar, 4, ul::key(7), 4 * std::uint64_t{first + i});
      CHECK(ul::bits_of(scalar[0]) == ul::bits_of(low.first.lane[i]));
      CHECK(ul::bits_of(scalar[1]) == ul::bits_of(low.second.lane[i]));
      CHECK(ul::bits_of(scalar[2]) == ul::bits_of(high.first.lane[i]));
      CHECK(ul::bits_of(scalar[3]) == ul::bits_of(high.second.lane[i]));
      CHECK(ul::uniform_at<float>(ul::key(7), 4 * std::uint64_t{first + i}) == u.lane[i]);
    }
  }
}

TEST_CASE_TEMPLATE("any part of a stream can be drawn alone", T, float, double) {
  const auto whole = draw<T>(ul::key(1), 40);
  for (int first = 0; first < 8; ++first) {
    const auto part = draw<T>(ul::key(1), 11, static_cast<std::uint64_t>(first));
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + first));
  }
  const std::uint64_t far = ~std::uint64_t{0} - 7;  // the last numbers of a stream
  CHECK(std::isfinite(ul::normal_at<T>(ul::key(1), far)));
  CHECK(ul::normal_at<T>(ul::key(1), far) != whole[0]);
}

TEST_CASE_TEMPLATE("normals are normal", T, float, double) {
  constexpr int n = 400000;
  auto x = draw<T>(ul::key(11), n);
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag[9] = {}, pair = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double v = x[i];
    m1 += v;
    m2 += v * v;
    m3 += v * v * v;
    m4 += v * v * v * v;
    for (std::size_t k = 1; k <= 8 && k <= i; ++k) lag[k] += v * static_cast<double>(x[i - k]);
    if (i % 2) pair += (v * v - 1) * (static_cast<double>(x[i - 1]) * static_cast<double>(x[i - 1]) - 1);
  }
  // Variances of v, v^2, v^3, v^4 under the normal distribution: 1, 2, 15, 96.
  const double root = std::sqrt(static_cast<double>(n));
  CHECK(std::fabs(m1 / n) * root < z_limit);
  CHECK(std::fabs(m2 / n - 1) * root / std::sqrt(2.0) < z_limit);
  CHECK(std::fabs(m3 / n) * root / std::sqrt(15.0) < z_limit);
  CHECK(std::fabs(m4 / n - 3) * root / std::sqrt(96.0) < z_limit);
  for (int k = 1; k <= 8; ++k) CHECK(std::fabs(lag[k]) / root < z_limit);
  CHECK(std::fabs(pair) / (2 * std::sqrt(n / 2.0)) < z_limit);  // squares of the two of a pair

  std::sort(x.begin(), x.end());
  double distance = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double p = normal_cdf(x[i]);
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  CHECK(distance * root < 2.693);  // Kolmogorov-Smirnov at probability 1e-6
}

TEST_CASE("tails hold what they should") {
  constexpr int n = 2000000;
  int beyond3 = 0, beyond4 = 0;
  for (std::uint64_t i = 0; i < n / 4; ++i) {
    const auto block = ul::key(13).block(i);
    const auto& w = block.word;
    for (const auto p : {ul::normal_from(w[0], w[1]), ul::normal_from(w[2], w[3])})
      for (const float v : {p.first, p.second}) beyond3 += std::fabs(v) > 3, beyond4 += std::fabs(v) > 4;
  }
  const double p3 = 2 * normal_cdf(-3), p4 = 2 * normal_cdf(-4);
  CHECK(std::fabs(beyond3 - n * p3) / std::sqrt(n * p3) < z_limit);
  CHECK(std::fabs(beyond4 - n * p4) / std::sqrt(n * p4) < z_limit);

  // Beyond 5 and 6: every radius word that can reach r, each with many angles. P(|v| > r) = P(radius > r) * share.
  for (const double r : {5.0, 6.0}) {
    const auto words = static_cast<std::uint32_t>(std::exp(-r * r / 2) * 0x1p32), angles = 200000 / words + 1;
    double beyond = 0;
    for (std::uint32_t a = 0; a < words; ++a)
      for (std::uint32_t j = 0; j < angles; ++j) {
        const auto p = ul::normal_from(a, ul::key(17).block(std::uint64_t{a} * angles + j).word[0]);
        beyond += static_cast<double>(std::fabs(p.first)) > r;
      }
    const double total = static_cast<double>(words) * angles, share = 2 * normal_cdf(-r) / std::exp(-r * r / 2);
    CHECK(std::fabs(beyond - total * share) / std::sqrt(total * share) < z_limit);
  }
}
