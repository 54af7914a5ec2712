// Philox, keys, uniforms, and the replay of other programs' generators.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <set>

#include <ul/core/mt19937.hpp>
#include <ul/core/torch_stream.hpp>
#include <ul/core/uniform.hpp>

namespace {

// Two-sided quantile of the normal distribution at probability 1e-6: seeds are fixed, so a pass stays a pass.
constexpr double z_limit = 4.892;

double correlation(const ul::key& a, std::uint64_t first_a, const ul::key& b, std::uint64_t first_b, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const auto offset = static_cast<std::uint64_t>(i);
    sum += (ul::uniform_at<double>(a, first_a + offset) - 0.5) * (ul::uniform_at<double>(b, first_b + offset) - 0.5);
  }
  return sum * 12 / std::sqrt(static_cast<double>(n));  // a z-score: the variance of each factor is 1/12
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the published words") {
  // Random123, tests/kat_vectors.
  struct known {
    std::uint32_t counter[4], key[2], out[4];
  };
  constexpr known table[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const known& k : table) {
    const auto& c = k.counter;
    const auto out = ul::philox4x32<std::uint32_t>({{c[0], c[1], c[2], c[3]}}, k.key[0], k.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(out.word[i] == k.out[i]);
  }
  static_assert(ul::philox4x32<std::uint32_t>({{0, 0, 0, 0}}, 0, 0).word[0] == 0x6627e8d5);
}

TEST_CASE("a key's stream is Philox at counter (i, 0, 0) under the seed") {
  const ul::key k(0x299f31d0a4093822u);
  const auto block = k.block(0x85a308d3243f6a88u);
  const auto same = ul::philox4x32<std::uint32_t>({{0x243f6a88, 0x85a308d3, 0, 0}}, 0xa4093822, 0x299f31d0);
  for (int i = 0; i < 4; ++i) CHECK(block.word[i] == same.word[i]);
  // The layout is a promise to stored seeds.
  CHECK(ul::key(7).block(0).word[0] == 0xf4607a2d);
  CHECK(ul::key(7).fold_in(3) == ul::key(0x7941adde40d4a5f7));
  CHECK(ul::key(7).split(3) == ul::key(0x120eb83e422aeaf1));
}

TEST_CASE("derived keys differ from each other and from their parents") {
  std::set<std::uint64_t> seen;
  std::size_t made = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const ul::key root(seed);
      for (const ul::key k :
           {root.fold_in(i), root.split(i), root.fold_in(i).fold_in(0), root.split(0).fold_in(i + 1)}) {
        seen.insert(k.bits);
        ++made;
      }
      const auto own = root.block(i);
      seen.insert(std::uint64_t{own.word[1]} << 32 | own.word[0]);
      ++made;
    }
  // fold_in(0).fold_in(0) and split(0).fold_in(1) among them are made once each per seed: nothing may coincide.
  CHECK(seen.size() == made);
}

TEST_CASE("one flipped bit of seed or datum changes half the bits of the derived key") {
  double seed_flips = 0, datum_flips = 0;
  int n = 0;
  for (std::uint64_t i = 0; i < 200; ++i)
    for (int bit = 0; bit < 64; ++bit, ++n) {
      const std::uint64_t flip = std::uint64_t{1} << bit;
      seed_flips += std::popcount(ul::key(i).fold_in(5).bits ^ ul::key(i ^ flip).fold_in(5).bits);
      datum_flips += std::popcount(ul::key(9).fold_in(i).bits ^ ul::key(9).fold_in(i ^ flip).bits);
    }
  const double scale = std::sqrt(16.0 * n);  // the variance of 64 fair bits is 16
  CHECK(std::fabs(seed_flips - 32.0 * n) / scale < z_limit);
  CHECK(std::fabs(datum_flips - 32.0 * n) / scale < z_limit);
}

TEST_CASE("streams of related keys are uncorrelated") {
  constexpr int n = 100000;
  const ul::key root(7);
  for (std::uint64_t i = 0; i < 8; ++i) {
    CHECK(std::fabs(correlation(ul::key(i), 0, ul::key(i + 1), 0, n)) < z_limit);
    CHECK(std::fabs(correlation(root.fold_in(i), 0, root.fold_in(i + 1), 0, n)) < z_limit);
    CHECK(std::fabs(correlation(root.split(i), 0, root.split(i + 1), 0, n)) < z_limit);
    CHECK(std::fabs(correlation(root, 0, root.fold_in(i), 0, n)) < z_limit);
    CHECK(std::fabs(correlation(root, 0, root, i + 1, n)) < z_limit);  // serial, lags 1 to 8
  }
}

TEST_CASE("uniforms take the upper bits") {
  CHECK(ul::uniform(std::uint32_t{0}) == 0.0f);
  CHECK(ul::uniform(std::uint32_t{0xff}) == 0.0f);
  CHECK(ul::uniform(std::uint32_t{0x80000000}) == 0.5f);
  CHECK(ul::uniform(std::uint32_t{0xffffffff}) == 1 - 0x1p-24f);
  CHECK(ul::uniform_positive(std::uint32_t{0}) == 0x1p-24f);
  CHECK(ul::uniform_positive(std::uint32_t{0xffffffff}) == 1.0f);
  CHECK(ul::uniform(std::uint64_t{0x7ff}) == 0.0);
  CHECK(ul::uniform(~std::uint64_t{0}) == 1 - 0x1p-53);
  CHECK(ul::uniform_positive(std::uint64_t{0}) == 0x1p-53);
  CHECK(ul::uniform_positive(~std::uint64_t{0}) == 1.0);
  const auto block = ul::key(7).block(5);
  for (std::uint64_t lane = 0; lane < 4; ++lane)
    CHECK(ul::uniform_at<float>(ul::key(7), 20 + lane) == ul::uniform(block.word[lane]));
  CHECK(ul::uniform_at<double>(ul::key(7), 11) == ul::uniform(std::uint64_t{block.word[3]} << 32 | block.word[2]));
}

TEST_CASE("uniforms are uniform") {
  constexpr int n = 1 << 20;
  double sum = 0, squares = 0, ones[32] = {};
  int bins[256] = {};
  for (std::uint64_t i = 0; i < n / 4; ++i)
    for (const std::uint32_t word : ul::key(7).block(i).word) {
      const double u = ul::uniform(word);
      sum += u;
      squares += u * u;
      ++bins[word >> 24];
      for (int bit = 0; bit < 32; ++bit) ones[bit] += word >> bit & 1u;
    }
  CHECK(std::fabs(sum / n - 0.5) * std::sqrt(12.0 * n) < z_limit);
  CHECK(std::fabs(squares / n - 1.0 / 3) * std::sqrt(n * 45.0 / 4) < z_limit);
  for (const double count : ones) CHECK(std::fabs(count - n / 2.0) / std::sqrt(n / 4.0) < z_limit);
  double chi2 = 0;
  for (const int count : bins) chi2 += (count - n / 256.0) * (count - n / 256.0) / (n / 256.0);
  // 255 degrees of freedom, probability 1e-6 on either side (Wilson-Hilferty).
  CHECK(chi2 > 161);
  CHECK(chi2 < 378);
}

TEST_CASE("MT19937 gives the standard's 10,000th word") {
  ul::mt19937 words;
  for (int i = 1; i < 10000; ++i) words();
  CHECK(words() == 4123659995u);  // ISO C++, [rand.predef]
}

TEST_CASE("torch_stream replays PyTorch") {
  // PyTorch 2.15.0 with ATEN_CPU_CAPABILITY=default: torch.manual_seed(7); torch.randn(32);
  // torch.empty(4).uniform_(-1, 3).
  constexpr float normals[] = {
      -0.8201345205307007f, 0.39563092589378357f,  0.8989079594612122f,   -1.3884040117263794f, -0.16699601709842682f,
      0.2851499617099762f,  -0.641091525554657f,   -0.8936551213264465f,  0.9265430569648743f,  -0.535512387752533f,
      -1.1597206592559814f, -0.46015679836273193f, 0.7085390686988831f,   1.0127553939819336f,  0.23039686679840088f,
      1.090165376663208f,   -1.5826646089553833f,  -0.32456669211387634f, 1.9263672828674316f,  -0.3300117254257202f,
      0.19844405353069305f, 0.7820726633071899f,   1.0391076803207397f,   -0.7245113253593445f, -0.2093404233455658f,
      -0.2153414487838745f, -1.8157296180725098f,  -0.3452419638633728f,  -2.0614778995513916f, 0.6741006970405579f,
      -1.3233457803726196f, -1.3597685098648071f};
  constexpr float uniforms[] = {1.5066022872924805f, 1.2762906551361084f, 1.974931001663208f, 2.8368663787841797f};
  ul::torch_stream stream(7);
  float out[32];
  stream.normal(out, 32);
  for (int i = 0; i < 32; ++i) CHECK(std::fabs(out[i] - normals[i]) <= 0x1p-22f);
  for (const float u : uniforms) CHECK(stream.uniform(-1, 3) == u);

  // torch.manual_seed(7); torch.rand(8)
  constexpr float units[] = {0.5349225401878357f,  0.19880318641662598f, 0.6592116951942444f,  0.6568902730941772f,
                             0.23276156187057495f, 0.4250614047050476f,  0.20708602666854858f, 0.6297363638877869f};
  ul::torch_stream again(7);
  for (const float u : units) CHECK(again.uniform() == u);

  // torch.manual_seed(2**32 + 5); torch.randn(32)[:2]; the upper half of the seed is ignored.
  ul::torch_stream wide((std::uint64_t{1} << 32) + 5), narrow(5);
  float a[32], b[32];
  wide.normal(a, 32);
  narrow.normal(b, 32);
  CHECK(a[0] == doctest::Approx(1.8423298597335815).epsilon(1e-6));
  CHECK(a[1] == doctest::Approx(0.5188871622085571).epsilon(1e-6));
  for (int i = 0; i < 32; ++i) CHECK(a[i] == b[i]);
}

TEST_CASE("torch_stream refuses sizes that PyTorch draws in another order, and stays usable") {
  ul::torch_stream stream(7), fresh(7);
  float out[32];
  for (const ul::extent n : {0, 8, 15, 17, 24, -16})
    CHECK_THROWS_WITH_AS(
        stream.normal(out, n),
        ul::describe("torch_stream: normal of ", n, " numbers, expected a multiple of 16, at least 16").c_str(),
        ul::error);
  CHECK(stream.uniform() == fresh.uniform());
}
