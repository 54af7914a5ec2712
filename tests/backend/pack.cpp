// Packs against the arithmetic of one number.
#include <doctest/doctest.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ul/backend/cpu/pack_activation.hpp>
#include <ul/backend/cpu/pack_bits.hpp>
#include <ul/backend/cpu/pack_math.hpp>
#include <ul/backend/cpu/transposition.hpp>
#include <ul/core/normal.hpp>

namespace {

using ul::extent;

using real = long double;

template <class P>
using lane_t = typename P::value_type;

// The distance of `found` from `truth` in units in the last place of the truth.
template <class T>
double ulps(T found, real truth) {
  if (std::isnan(truth)) return std::isnan(found) ? 0 : 1e9;
  const T near = static_cast<T>(truth);
  if (std::isinf(near) || std::isinf(found)) return found == near ? 0 : 1e9;
  const T next = std::nextafter(std::fabs(near), std::numeric_limits<T>::infinity());
  return static_cast<double>(std::fabs(static_cast<real>(found) - truth) / static_cast<real>(next - std::fabs(near)));
}

// Numbers of all magnitudes between low and high, both signs if low is negative.
template <class T>
std::vector<T> samples(double low, double high) {
  std::vector<T> x;
  for (int i = 0; i <= 2000; ++i) x.push_back(static_cast<T>(low + (high - low) * i / 2000));
  for (int e = -20; e <= 20; ++e)
    for (const double sign : {-1.0, 1.0}) {
      const double t = sign * std::ldexp(1.37, e);
      if (t >= low && t <= high) x.push_back(static_cast<T>(t));
    }
  while (x.size() % 16 != 0) x.push_back(x.back());
  return x;
}

// The worst error of a function over a range, and whether a lane's result depends on its neighbours.
template <class P, class F, class G>
double worst(F function, G truth, double low, double high) {
  using T = lane_t<P>;
  double most = 0;
  for (const auto x = samples<T>(low, high); const T t : x) {
    T lane[P::size];
    function(P(t)).store(lane);
    most = (std::max)(most, ulps(lane[0], truth(static_cast<real>(t))));
  }
  const auto x = samples<T>(low, high);
  for (std::size_t i = 0; i + P::size <= x.size(); i += P::size) {
    T mixed[P::size], alone[P::size];
    function(P::load(&x[i])).store(mixed);
    for (extent j = 0; j < P::size; ++j) {
      function(P(x[i + static_cast<std::size_t>(j)])).store(alone);
      if (std::memcmp(&alone[0], &mixed[j], sizeof(T)) != 0) return 1e12;
    }
  }
  return most;
}

}  // namespace

TEST_CASE_TEMPLATE("elementary functions of packs", P, ul::pack<float>, ul::pack<double>, ul::pack<float, 1>,
                   ul::pack<double, 1>) {
  const auto check = [](auto function, auto truth, double low, double high, double bound) {
    CAPTURE(low);
    CAPTURE(high);
    CHECK(worst<P>(function, truth, low, high) <= bound);
  };
  check([](P x) { return exp(x); }, [](real x) { return std::exp(x); }, -80, 80, 2);
  check([](P x) { return expm1(x); }, [](real x) { return std::expm1(x); }, -80, 80, 2);
  check([](P x) { return log(x); }, [](real x) { return std::log(x); }, 1e-6, 1e6, 2);
  check([](P x) { return log1p(x); }, [](real x) { return std::log1p(x); }, -0.99, 1e6, 2);
  check([](P x) { return erf(x); }, [](real x) { return std::erf(x); }, -6, 6, 3);
  check([](P x) { return tanh(x); }, [](real x) { return std::tanh(x); }, -20, 20, 2);
  check([](P x) { return sqrt(x); }, [](real x) { return std::sqrt(x); }, 0, 1e6, 0.5001);
  check([](P x) { return abs(x); }, [](real x) { return std::fabs(x); }, -9, 9, 0);
  check([](P x) { return floor(x); }, [](real x) { return std::floor(x); }, -9, 9, 0);
  check([](P x) { return sin(x); }, [](real x) { return std::sin(x); }, -1e4, 1e4, 1);
  check([](P x) { return cos(x); }, [](real x) { return std::cos(x); }, -1e4, 1e4, 1);
}

TEST_CASE_TEMPLATE("the exponential of packs at its ends", P, ul::pack<float>, ul::pack<double>, ul::pack<float, 1>) {
  using T = lane_t<P>;
  constexpr T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto of = [](T x) {
    T lane[P::size];
    exp(P(x)).store(lane);
    return lane[P::size - 1];
  };
  CHECK(of(T{0}) == 1);
  CHECK(of(-T{0}) == 1);
  CHECK(of(infinity) == infinity);
  CHECK(of(-infinity) == 0);
  CHECK(std::isnan(of(nan)));
  CHECK(std::isnan(of(-nan)));
  for (const T far : {T{1000}, static_cast<T>(1e9), static_cast<T>(1e30), std::numeric_limits<T>::max()}) {
    CAPTURE(far);
    CHECK(of(far) == infinity);
    CHECK(of(-far) == 0);
  }
  // Where results are no normal numbers, some instruction sets give 0.
  constexpr T least = std::numeric_limits<T>::min();
  for (T x = std::log(least) - 30; x < std::log(least) + 3; x += static_cast<T>(0.017)) {
    CAPTURE(x);
    const double truth = std::exp(static_cast<double>(x)), error = std::fabs(static_cast<double>(of(x)) - truth);
    CHECK(error <= (x < std::log(least) + static_cast<T>(0.01) ? static_cast<double>(least)
                                                               : 2 * truth * std::numeric_limits<T>::epsilon()));
  }
}

TEST_CASE_TEMPLATE("activations of packs", P, ul::pack<float>, ul::pack<double>, ul::pack<float, 1>) {
  using T = lane_t<P>;
  // Against the scalar ones; both ends must stay finite.
  const auto check = [](auto function, auto scalar) {
    for (double t = -60; t <= 60; t += 0.037) {
      T lane[P::size];
      function(P(static_cast<T>(t))).store(lane);
      const double truth = scalar(static_cast<double>(static_cast<T>(t)));
      CHECK(std::fabs(static_cast<double>(lane[0]) - truth) <=
            std::numeric_limits<T>::epsilon() * (4 * std::fabs(truth) + 1));
    }
    for (const double t : {-1e4, 1e4, -1e12, 1e12}) {
      T lane[P::size];
      function(P(static_cast<T>(t))).store(lane);
      CHECK(static_cast<double>(lane[0]) == doctest::Approx(scalar(t)));
    }
    T lane[P::size];
    function(P(std::numeric_limits<T>::quiet_NaN())).store(lane);
    CHECK(std::isnan(lane[0]));
  };
  check([](P x) { return sigmoid(x); }, [](double x) { return ul::sigmoid(x); });
  check([](P x) { return silu(x); }, [](double x) { return ul::silu(x); });
  check([](P x) { return silu_derivative(x); }, [](double x) { return ul::silu_derivative(x); });
  check([](P x) { return gelu_tanh(x); }, [](double x) { return ul::gelu_tanh(x); });
  check([](P x) { return gelu_tanh_derivative(x); }, [](double x) { return ul::gelu_tanh_derivative(x); });
}

TEST_CASE_TEMPLATE("pack arithmetic, comparison and reduction", P, ul::pack<float>, ul::pack<double>,
                   ul::pack<float, 1>, ul::pack<double, 1>) {
  using T = lane_t<P>;
  std::vector<T> a(P::size), b(P::size), c(P::size), out(P::size);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto t = static_cast<std::uint64_t>(i);
    a[i] = ul::normal_at<T>(ul::key(1), t);
    b[i] = ul::normal_at<T>(ul::key(2), t);
    c[i] = ul::normal_at<T>(ul::key(3), t);
  }
  const P x = P::load(a.data()), y = P::load(b.data()), z = P::load(c.data());
  const auto holds = [&](P found, auto scalar) {
    found.store(out.data());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(out[i] == scalar(a[i], b[i], c[i]));
  };
  holds(x + y, [](T p, T q, T) { return p + q; });
  holds(x - y, [](T p, T q, T) { return p - q; });
  holds(x * y, [](T p, T q, T) { return p * q; });
  holds(x / y, [](T p, T q, T) { return p / q; });
  holds(-x, [](T p, T, T) { return -p; });
  holds(P(T{1}) / -P(T{0}), [](T, T, T) { return -std::numeric_limits<T>::infinity(); });
  holds(minimum(x, y), [](T p, T q, T) { return p < q ? p : q; });
  holds(maximum(x, y), [](T p, T q, T) { return p > q ? p : q; });
  // The second operand where neither is the greater: NaN on either side, and zeros of both signs.
  const P not_a_number(std::numeric_limits<T>::quiet_NaN()), zero(T{0}), negative(-T{0});
  for (const auto pick : {+[](P p, P q) { return minimum(p, q); }, +[](P p, P q) { return maximum(p, q); }}) {
    holds(pick(not_a_number, y), [](T, T q, T) { return q; });
    holds(select(pick(y, not_a_number) == y, x, z), [](T, T, T r) { return r; });
    holds(P(T{1}) / pick(negative, zero), [](T, T, T) { return std::numeric_limits<T>::infinity(); });
    holds(P(T{1}) / pick(zero, negative), [](T, T, T) { return -std::numeric_limits<T>::infinity(); });
  }
  holds(select(x < y, z, x), [](T p, T q, T r) { return p < q ? r : p; });
  holds(select(x >= y, z, x), [](T p, T q, T r) { return p >= q ? r : p; });
  holds(fma(x, y, z), [](T p, T q, T r) { return std::fma(p, q, r); });
  holds(in_register(x), [](T p, T, T) { return p; });
  P chain = z;
  accumulate(chain, x, y);
  holds(select(chain == muladd(x, y, z), x, y), [](T p, T, T) { return p; });
  T largest = a[0];
  real sum = 0, magnitude = 0;
  for (const T t : a) {
    largest = (std::max)(largest, t);
    sum += static_cast<real>(t);
    magnitude += static_cast<real>(std::fabs(t));
  }
  CHECK(reduce_maximum(x) == largest);
  CHECK(std::fabs(static_cast<real>(reduce_sum(x)) - sum) <= 4 * magnitude * std::numeric_limits<T>::epsilon());

  // Where a product is not representable, only a fused operation sees its lower half.
  const T e = std::numeric_limits<T>::epsilon();
  fma(P(1 + e), P(1 + e), P(-1 - 2 * e)).store(out.data());
  CHECK(out[0] == e * e);
}

#if defined(__linux__)
TEST_CASE_TEMPLATE("partial loads and stores touch nothing beyond", P, ul::pack<float>, ul::pack<double>,
                   ul::pack<float, 1>, ul::pack<double, 1>, ul::pack<std::uint32_t>) {
  using T = lane_t<P>;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const area = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(area != MAP_FAILED);
  REQUIRE(mprotect(static_cast<char*>(area) + page, page, PROT_NONE) == 0);
  T* const end = reinterpret_cast<T*>(static_cast<char*>(area) + page);
  for (extent n = 0; n <= P::size; ++n) {
    for (extent i = 1; i <= P::size; ++i) end[-i] = static_cast<T>(i);
    T lane[P::size];
    P::load_first(end - n, n).store(lane);
    for (extent i = 0; i < P::size; ++i) CHECK(lane[i] == (i < n ? static_cast<T>(n - i) : T{0}));
    keep_first(P(T{7}), n).store(lane);
    for (extent i = 0; i < P::size; ++i) CHECK(lane[i] == (i < n ? T{7} : T{0}));
    P(T{7}).store_first(end - n, n);
    for (extent i = 1; i <= P::size; ++i) CHECK(end[-i] == (i <= n ? T{7} : static_cast<T>(i)));
  }
  munmap(area, 2 * page);
}
#endif

TEST_CASE_TEMPLATE("normals of packs are the bits of one number's", U, ul::pack<std::uint32_t>, ul::pack<std::uint64_t>,
                   ul::pack<std::uint32_t, 1>, ul::pack<std::uint64_t, 1>) {
  using W = lane_t<U>;
  using V = decltype(to_number(U(W{0})));
  using T = lane_t<V>;
  for (std::uint64_t block = 0; block < 200; ++block) {
    W radius[U::size], angle[U::size];
    for (extent i = 0; i < U::size; ++i) {
      const auto words = ul::key(9).block(block * 32 + static_cast<std::uint64_t>(i));
      radius[i] = static_cast<W>(std::uint64_t{words.word[0]} << 32 | words.word[1]);
      angle[i] = static_cast<W>(std::uint64_t{words.word[2]} << 32 | words.word[3]);
    }
    const auto pair = ul::normal_from(U::load(radius), U::load(angle));
    T first[U::size], second[U::size];
    pair.first.store(first);
    pair.second.store(second);
    for (extent i = 0; i < U::size; ++i) {
      const auto truth = ul::normal_from(radius[i], angle[i]);
      REQUIRE(ul::bits_of(first[i]) == ul::bits_of(truth.first));
      REQUIRE(ul::bits_of(second[i]) == ul::bits_of(truth.second));
    }
  }
}

TEST_CASE_TEMPLATE("transposition of blocks", T, float, double) {
  const extent width = ul::pack<T>::size;
  for (const extent rows : {extent{1}, width - 1, width, width + 1, 3 * width + 2})
    for (const extent columns : {extent{1}, width - 1, width, 2 * width + 3}) {
      const extent stride = columns + 2, to_stride = rows + 1;
      std::vector<T> from(static_cast<std::size_t>(rows * stride)),
          to(static_cast<std::size_t>(columns * to_stride), T{-1});
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i);
      ul::simd::transpose_block(from.data(), stride, rows, columns, to.data(), to_stride);
      for (extent c = 0; c < columns; ++c)
        for (extent r = 0; r < to_stride; ++r)
          REQUIRE(to[static_cast<std::size_t>(c * to_stride + r)] ==
                  (r < rows ? static_cast<T>(r * stride + c) : T{-1}));
    }
}
