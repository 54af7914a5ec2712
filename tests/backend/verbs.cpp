// The verbs of the CPU backend against the reference, at odd sizes, and the same bits for any number of threads.
#include <array>
#include <limits>

#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>

#include "support.hpp"

using namespace ul;

static_assert(backend<cpu> && backend<reference>);

namespace {

struct affine {
  template <class V>
  V operator()(V x, V scale, V shift) const {
    return silu(muladd(x, scale, shift));
  }
};

struct product_of {
  template <class V>
  V operator()(V x, V y) const {
    return x * y;
  }
};

cpu_options with_threads(extent n) { return {.threads = n, .executor = executor_kind::jthread}; }

const extent odd_sizes[] = {0, 1, 2, 7, 8, 9, 33};

// f(x, scale of each sample, shift of each channel) over (B, N, C).
template <class T, class Device>
std::vector<T> mapped(Device& device, const space& s) {
  const auto x = noise<T>(s.size(), 1), scale = noise<T>(s.outer, 2), shift = noise<T>(s.inner, 3);
  std::vector<T> y(x.size());
  device.map(s, affine{}, dense(y.data(), s), dense(x.data(), s), per_sample(scale.data()), per_channel(shift.data()));
  return y;
}

template <class T, class Device>
std::vector<T> folded(Device& device, const space& s, store_mode mode) {
  const auto x = noise<T>(s.size(), 1), y = noise<T>(s.size(), 2);
  auto sum = noise<T>(s.outer * s.inner, 3);
  device.fold(s, product_of{}, sum.data(), mode, dense(x.data(), s), dense(y.data(), s));
  return sum;
}

struct gemm_case {
  extent m, n, k, batch;
  transpose a, b;
  store_mode mode;
  bool bias;
  activation act;
};

// Stored rows are longer than need be, and what lies between them must stay.
template <class T, class Device>
std::vector<T> multiplied(Device& device, const gemm_case& c) {
  const extent a_rows = c.a == transpose::no ? c.m : c.k, lda = (c.a == transpose::no ? c.k : c.m) + 1;
  const extent b_rows = c.b == transpose::no ? c.k : c.n, ldb = (c.b == transpose::no ? c.n : c.k) + 2;
  const extent ldc = c.n + 3;
  const auto a = noise<T>(a_rows * lda * c.batch, 1), b = noise<T>(b_rows * ldb * c.batch, 2), bias = noise<T>(c.n, 4);
  auto result = noise<T>(c.m * ldc * c.batch, 3);
  gemm_args<T> g;
  g.m = c.m, g.n = c.n, g.k = c.k;
  g.a = a.data(), g.lda = lda, g.a_layout = c.a;
  g.b = b.data(), g.ldb = ldb, g.b_layout = c.b;
  g.c = result.data(), g.ldc = ldc;
  g.alpha = 0.75, g.mode = c.mode, g.act = c.act;
  if (c.bias) g.bias = bias.data();
  g.batch = c.batch, g.stride_a = a_rows * lda, g.stride_b = b_rows * ldb, g.stride_c = c.m * ldc;
  device.gemm(g);
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("map equals the reference", T, float, double, bf16) {
  cpu device(with_threads(3));
  reference plain;
  const double bound = std::is_same_v<T, double> ? 1e-14 : std::is_same_v<T, float> ? 4e-6 : 0.04;
  for (const extent B : {1, 3})
    for (const extent N : odd_sizes)
      for (const extent C : odd_sizes) {
        const space s{B, N, C};
        CHECK(largest_difference(mapped<T>(device, s), mapped<T>(plain, s)) <= bound);
      }
  const space rows{2, 3, 40000}, columns{1, 70000, 1};
  CHECK(largest_difference(mapped<T>(device, rows), mapped<T>(plain, rows)) <= bound);
  CHECK(largest_difference(mapped<T>(device, columns), mapped<T>(plain, columns)) <= bound);
}

TEST_CASE("a map may write where it reads, and between element types") {
  cpu device(with_threads(2));
  const space s{1, 1, 1001};
  auto x = noise<float>(1001, 5);
  const auto old = x;
  device.map(s, product_of{}, dense(x.data(), s), dense<const float>(x.data(), s), dense<const float>(x.data(), s));
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(x[i] == old[i] * old[i]);
  std::vector<double> y(1001);
  const auto z = noise<bf16>(1001, 6);
  device.map(s, product_of{}, dense(y.data(), s), dense<const float>(old.data(), s), dense(z.data(), s));
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == static_cast<double>(old[i] * static_cast<float>(z[i])));
}

TEST_CASE("an element's bits do not depend on where it stands") {
  cpu device(with_threads(3));
  const auto x = noise<float>(5000, 7), scale = noise<float>(1, 2), shift = noise<float>(1, 3);
  const auto run = [&](extent first, extent n) {
    std::vector<float> y(static_cast<std::size_t>(n));
    const space s{1, 1, n};
    device.map(s, affine{}, dense(y.data(), s), dense(x.data() + first, s), per_sample(scale.data()),
               per_sample(shift.data()));
    return y;
  };
  const auto all = run(0, 5000);
  for (const extent first : {0, 1, 5, 4093})
    for (const extent n : {1, 7, 8, 9, 100}) {
      const auto part = run(first, n);
      for (extent i = 0; i < n; ++i)
        REQUIRE(bits_of(part[static_cast<std::size_t>(i)]) == bits_of(all[static_cast<std::size_t>(first + i)]));
    }
}

TEST_CASE_TEMPLATE("fold equals the reference", T, float, double, bf16) {
  cpu device(with_threads(3));
  reference plain;
  for (const store_mode mode : {store_mode::replace, store_mode::add})
    for (const extent B : {0, 1, 3})
      for (const extent N : {0, 1, 5, 31, 32, 33, 70, 300})
        for (const extent C : {0, 1, 7, 8, 9, 33}) {
          const space s{B, N, C};
          const double bound = std::is_same_v<T, double>  ? 1e-13
                               : std::is_same_v<T, float> ? 1e-6 * (1 + std::sqrt(static_cast<double>(N)))
                                                          : 0.02 * (1 + std::sqrt(static_cast<double>(N)));
          CHECK(largest_difference(folded<T>(device, s, mode), folded<T>(plain, s, mode)) <= bound);
        }
}

TEST_CASE("long sums are accurate") {
  cpu device(with_threads(2));
  reference plain;
  for (const space s : {space{1, 1000000, 1}, space{2, 100001, 3}, space{1, 300, 2500}})
    CHECK(largest_difference(folded<float>(device, s, store_mode::replace),
                             folded<float>(plain, s, store_mode::replace)) <=
          6e-7 * std::sqrt(static_cast<double>(s.mid)));
}

TEST_CASE_TEMPLATE("gemm equals the reference", T, float, double, bf16) {
  cpu device(with_threads(3));
  reference plain;
  const double unit = std::is_same_v<T, double> ? 4e-16 : 2e-7;
  extent which = 0;
  for (const extent m : {0, 1, 5, 6, 7, 13, 33, 180})
    for (const extent n : {0, 1, 7, 8, 9, 17, 35, 130})
      for (const extent k : {0, 1, 9, 64, 300}) {
        if constexpr (std::is_same_v<T, bf16>)
          if (m > 13 || n > 35) continue;
        for (const transpose a : {transpose::no, transpose::yes})
          for (const transpose b : {transpose::no, transpose::yes}) {
            gemm_case c{m, n, k, 1 + which % 3, a, b, store_mode::replace, which % 2 == 1, activation::none};
            if (which % 4 == 0) c.mode = store_mode::add;
            if (which % 4 == 1) c.act = activation::silu;
            if (which % 4 == 3) c.act = activation::gelu;
            ++which;
            // Rounding of a sum of k products of normal numbers; 16-bit results are rounded once more.
            const double bound = unit * 8 * (3 + std::sqrt(static_cast<double>(k)) * 2);
            const auto found = multiplied<T>(device, c), truth = multiplied<T>(plain, c);
            for (std::size_t i = 0; i < found.size(); ++i) {
              const double rounding = std::is_same_v<T, bf16> ? 0.008 * std::fabs(wide(truth[i])) : 0;
              REQUIRE(std::fabs(wide(found[i]) - wide(truth[i])) <= bound + rounding);
            }
          }
      }
}

TEST_CASE_TEMPLATE("a product larger than all blocks equals the reference", T, float, double) {
  cpu device(with_threads(1));
  reference plain;
  // Several groups of rows, strips of columns and pieces of k, which are not all of one length; tiles of all heights.
  for (const auto& [m, n, k] :
       {std::array<extent, 3>{130, 560, 650}, {160, 300, 1201}, {300, 70, 577}, {197, 1030, 601}, {193, 513, 2100}}) {
    // Partial sums of normal numbers grow like sqrt(i), so roundings add up to about 0.4 k units in each of the two
    // results; the largest of some 100,000 differences is some 5 times that of one.
    const double bound = 4 * static_cast<double>(k) * std::numeric_limits<T>::epsilon() / 2;
    for (const transpose a : {transpose::no, transpose::yes})
      for (const transpose b : {transpose::no, transpose::yes}) {
        const store_mode mode = a == b ? store_mode::replace : store_mode::add;
        const gemm_case c{m, n, k, 1, a, b, mode, true, activation::none};
        CHECK(largest_difference(multiplied<T>(device, c), multiplied<T>(plain, c)) <= bound);
      }
  }
}

TEST_CASE("the same bits for any number of threads") {
  const space wide{3, 50, 33}, tall{1, 200000, 1}, flat{1, 3000, 70};
  const gemm_case big{400, 1100, 600, 1, transpose::no, transpose::yes, store_mode::replace, true, activation::gelu};
  const gemm_case stored{400, 1100, 600, 1, transpose::yes, transpose::no, store_mode::add, false, activation::none};
  const gemm_case many{64, 70, 80, 5, transpose::yes, transpose::no, store_mode::add, false, activation::none};
  cpu one(with_threads(1));
  const auto all = [&](cpu& device) {
    return std::vector{mapped<float>(device, wide),
                       folded<float>(device, tall, store_mode::add),
                       folded<float>(device, flat, store_mode::replace),
                       multiplied<float>(device, big),
                       multiplied<float>(device, stored),
                       multiplied<float>(device, many)};
  };
  const auto truth = all(one);
  const auto compare = [&](cpu& device) {
    const auto found = all(device);
    for (std::size_t i = 0; i < truth.size(); ++i) CHECK(same_bits(found[i], truth[i]));
  };
  for (const extent n : {2, 3, 8}) {
    cpu device(with_threads(n));
    compare(device);
  }
  cpu device(cpu_options{.threads = 2});
  compare(device);
}

TEST_CASE("the bits of a row of a product do not depend on the other rows") {
  cpu device(with_threads(2));
  for (const extent k : {17, 300})
    for (const transpose layout : {transpose::no, transpose::yes}) {
      const extent n = 150, most = 64;
      const auto a = noise<float>(most * k, 1), b = noise<float>(k * n, 2);
      const auto run = [&](extent first, extent m) {
        std::vector<float> c(static_cast<std::size_t>(m * n));
        gemm_args<float> g;
        g.m = m, g.n = n, g.k = k;
        g.a = a.data() + first * k, g.lda = k;
        g.b = b.data(), g.ldb = layout == transpose::no ? n : k, g.b_layout = layout;
        g.c = c.data(), g.ldc = n;
        device.gemm(g);
        return c;
      };
      const auto all = run(0, most);
      for (const extent m : {1, 2, 5, 13, 40}) {
        const auto part = run(3, m);
        CHECK(std::memcmp(part.data(), all.data() + 3 * n, part.size() * sizeof(float)) == 0);
      }
    }
}

TEST_CASE("a device is whole after it ran out of memory") {
  cpu device(cpu_options{.threads = 1, .memory_limit = 1000});
  const gemm_case c{180, 130, 300, 1, transpose::no, transpose::yes, store_mode::replace, false, activation::none};
  CHECK_THROWS_AS(multiplied<float>(device, c), error);
  CHECK(device.memory().bytes_in_use() == 0);
  void* const p = device.allocate(1000);
  device.deallocate(p, 1000);
}

TEST_CASE_TEMPLATE("normals are the bits of the reference", T, float, double) {
  reference plain;
  for (const extent threads : {1, 3}) {
    cpu device(with_threads(threads));
    for (const extent first : {extent{0}, extent{1}, extent{3}, extent{50}, (extent{1} << 34) - 37})
      for (const extent count : {0, 1, 5, 32, 33, 5000, 30000}) {
        std::vector<T> found(static_cast<std::size_t>(count)), truth = found;
        device.normal(found.data(), count, key(7), first);
        plain.normal(truth.data(), count, key(7), first);
        CHECK(same_bits(found, truth));
      }
  }
}
