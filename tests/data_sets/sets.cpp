#include <doctest/doctest.h>
#include <ul/data/idx_set.hpp>
#include <ul/data/order.hpp>
#include <ul/io/grid.hpp>
#include <ul/io/gzip.hpp>
#include <ul/io/write_file.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../io/support.hpp"

namespace {

using support::contains;
using support::error_of;

ul::idx_array bytes_of(std::initializer_list<ul::extent> axes, int step = 1) {
  ul::idx_array array{axes, {}};
  for (ul::extent i = 0; i < array.axes.size(); ++i) array.values.push_back(static_cast<unsigned char>(i * step));
  return array;
}

// A data set of one's own: nothing of the library's is inherited.
struct ramp {
  ul::extent size() const { return 3; }
  ul::extents extents() const { return {1, 2, 1}; }
  void read(ul::extent i, float* out) const { out[0] = out[1] = static_cast<float>(i) / 3; }
};

static_assert(ul::data_set<ul::byte_set> && ul::labelled_data_set<ul::byte_set>);
static_assert(ul::data_set<ul::memory_set<float>>);
static_assert(ul::data_set<ramp> && !ul::labelled_data_set<ramp>);
static_assert(!ul::data_set<int>);

}  // namespace

TEST_CASE("bytes and values: exact ends, every byte comes back") {
  CHECK(ul::value_of(0) == -1.0f);
  CHECK(ul::value_of(255) == 1.0f);
  for (int b = 0; b < 256; ++b) {
    const auto byte = static_cast<unsigned char>(b);
    CHECK(ul::byte_of(ul::value_of(byte)) == byte);
  }
  CHECK(ul::byte_of(-7.0f) == 0);
  CHECK(ul::byte_of(1e30f) == 255);
  CHECK(ul::byte_of(std::nanf("")) == 0);
}

TEST_CASE("make_idx_set: pictures as values, labels beside them") {
  const ul::byte_set set = ul::make_idx_set(bytes_of({3, 2, 2}, 20), bytes_of({3}));
  CHECK(set.size() == 3);
  CHECK(set.extents() == ul::extents{2, 2, 1});
  CHECK(set.classes() == 10);
  float out[4];
  set.read(1, out);
  for (int k = 0; k < 4; ++k) CHECK(out[k] == ul::value_of(static_cast<unsigned char>(20 * (4 + k))));
  CHECK(ul::label_of(set, 2) == 2);
  CHECK(ul::label_of(ul::make_idx_set(bytes_of({3, 2, 2})), 2) == -1);
  CHECK(ul::label_of(ramp{}, 2) == -1);
  CHECK(ul::make_idx_set(bytes_of({2, 3, 5, 3})).extents() == ul::extents{3, 5, 3});
}

TEST_CASE("make_idx_set: what does not fit together is refused") {
  const auto set_error = [](ul::idx_array images, ul::idx_array labels, ul::extent classes = 10) {
    return error_of([&] { ul::make_idx_set(std::move(images), std::move(labels), classes, "i.idx", "l.idx"); });
  };
  CHECK(contains(set_error(bytes_of({3}), bytes_of({3, 2, 2})), "i.idx: rank is 1, expected rank 3 for images"));
  CHECK(contains(set_error(bytes_of({3, 2, 2}), bytes_of({3, 1})), "l.idx: rank is 2, expected rank 1"));
  CHECK(contains(set_error(bytes_of({3, 2, 2}), bytes_of({2})), "l.idx: 2 labels do not match the 3 images of i.idx"));
  CHECK(contains(set_error(bytes_of({3, 2, 2}), bytes_of({3}, 5)),
                 "label out of range: item 2 has 10, expected 0 to 9"));
  CHECK(contains(set_error(bytes_of({2, 2, 2}), bytes_of({2}, 255)), "item 1 has 255"));
  CHECK(set_error(bytes_of({3, 2, 2}), bytes_of({3}, 5), 11) == "no error");
  const ul::byte_set set = ul::make_idx_set(bytes_of({3, 2, 2}));
  float out[4];
  CHECK(contains(error_of([&] { set.read(3, out); }), "item 3 does not exist, there are 3"));
  CHECK(contains(error_of([&] { set.read(-1, out); }), "item -1 does not exist"));
  CHECK(contains(error_of([&] { set.label(0); }), "there are no labels"));
}

TEST_CASE("read_idx_set: a directory, plain or compressed, and what may be wrong with it") {
  const support::scratch directory;
  const auto set_error = [&](ul::unpacker unpack = ul::gunzip) {
    return error_of([&] { ul::read_idx_set(directory.path(), "train", unpack); });
  };
  CHECK(contains(set_error(), "train-images-idx3-ubyte: cannot open"));
  ul::write_file(directory / "train-images-idx3-ubyte",
                 std::string_view("\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\2\0\xff", 18));
  CHECK(contains(set_error(), "train-labels-idx1-ubyte: cannot open"));
  // gzip of the labels {7}, made by gzip -n.
  const std::string_view labels(
      "\x1f\x8b\x08\0\0\0\0\0\x02\x03\x63\x60\xe0\x60\x64\x60\x60\x60\x64\x07\0\x8e\x2d\xc5\x99\x09\0\0\0", 29);
  ul::write_file(directory / "train-labels-idx1-ubyte.gz", labels);
  const ul::byte_set set = ul::read_idx_set(directory.path(), "train", ul::gunzip);
  CHECK(set.extents() == ul::extents{1, 2, 1});
  CHECK(set.label(0) == 7);
  CHECK(contains(set_error(nullptr), "train-labels-idx1-ubyte.gz: byte 0: this is compressed: gunzip first"));
}

TEST_CASE("memory_set: bytes or floats, and a copy of another set") {
  const ul::memory_set<float> set({1, 2, 1}, {-1, 0.25f, 0.5f, 1});
  float out[2];
  set.read(1, out);
  CHECK(set.size() == 2);
  CHECK(out[0] == 0.5f);
  CHECK(ul::label_of(set, 0) == -1);
  const ul::byte_set copy = ul::in_memory(ul::byte_set({1, 2, 1}, {1, 2, 3, 4, 5, 6}, {2, 1, 0}, 3), 1);
  CHECK(copy.size() == 2);
  CHECK(copy.label(0) == 1);
  copy.read(1, out);
  CHECK(out[1] == ul::value_of(6));
  CHECK(ul::in_memory(ramp{}).classes() == 0);
  CHECK(contains(error_of([] {
                   ul::byte_set({1, 2, 1}, {1, 2, 3});
                 }),
                 "3 values do not make whole items of (1, 2, 1)"));
  CHECK(contains(error_of([] { ul::byte_set({1, 2, 1}, {}); }), "0 values"));
  CHECK(contains(error_of([] { ul::byte_set({2, 1}, {1, 2}); }), "items are (2, 1), expected (H, W, C)"));
  CHECK(contains(error_of([] { ul::in_memory(ramp{}, 2, 2); }), "items 2 to 3 do not exist, there are 3"));
}

TEST_CASE("Fashion-MNIST: known counts, mean and deviation") {
  const std::string path = UL_SOURCE_DIR "/../shared/data/fashion-mnist-idx";
  if (!std::filesystem::exists(path)) {
    MESSAGE("skipped: Fashion-MNIST is not at " << path);
    return;
  }
  const ul::byte_set set = ul::read_idx_set(path, "t10k", ul::gunzip);
  REQUIRE(set.size() == 10000);
  REQUIRE(set.extents() == ul::extents{28, 28, 1});
  std::vector<int> count(10);
  double sum = 0, squares = 0;
  float out[784];
  for (ul::extent i = 0; i < set.size(); ++i) {
    ++count[static_cast<std::size_t>(set.label(i))];
    set.read(i, out);
    for (const float value : out) {
      sum += (value + 1) / 2;
      squares += (value + 1) / 2 * (value + 1) / 2;
    }
  }
  CHECK(count == std::vector<int>(10, 1000));
  const double mean = sum / 7.84e6;
  CHECK(mean == doctest::Approx(0.2868).epsilon(0.001));  // of the test part; 0.2860 is the training part's
  CHECK(std::sqrt(squares / 7.84e6 - mean * mean) == doctest::Approx(0.3524).epsilon(0.001));
}

TEST_CASE("permutation: each number exactly once, for every size") {
  for (ul::extent size : {1, 2, 3, 15, 16, 17, 255, 256, 257, 1000, 60000}) {
    const ul::permutation shuffle(size, ul::key(7));
    std::vector<ul::extent> seen(static_cast<std::size_t>(size));
    for (ul::extent i = 0; i < size; ++i) seen[static_cast<std::size_t>(i)] = shuffle(i);
    std::sort(seen.begin(), seen.end());
    for (ul::extent i = 0; i < size; ++i) REQUIRE(seen[static_cast<std::size_t>(i)] == i);
  }
  CHECK(contains(error_of([] { ul::permutation(0, ul::key(7)); }), "size is 0"));
  CHECK(contains(error_of([] { ul::permutation(5, ul::key(7))(5); }), "position 5 is outside 0 to 4"));
  CHECK(contains(error_of([] { ul::permutation(5, ul::key(7))(-1); }), "position -1 is outside"));
  const ul::permutation huge(ul::extent{1} << 40, ul::key(7));
  CHECK(huge(0) != huge(1));
  CHECK(huge(0) < ul::extent{1} << 40);
}

TEST_CASE("permutation: all places are equally likely, and neighbours part") {
  // 24 permutations of 4 things, 6,000 keys: chi-square with 23 degrees of freedom, 80 is beyond p = 1e-6.
  std::vector<double> count(256);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const ul::permutation shuffle(4, ul::key(seed));
    ++count[static_cast<std::size_t>(shuffle(0) + 4 * shuffle(1) + 16 * shuffle(2) + 64 * shuffle(3))];
  }
  double chi_square = 0;
  int kinds = 0;
  for (const double c : count) {
    if (c == 0) continue;
    ++kinds;
    chi_square += (c - 250) * (c - 250) / 250;
  }
  CHECK(kinds == 24);
  CHECK(chi_square < 80);

  // Correlation of position and item over a large set: 5 standard errors are 5 / sqrt(n).
  const ul::extent n = 10007;
  const ul::permutation shuffle(n, ul::key(3));
  double self = 0, next = 0;
  for (ul::extent i = 0; i + 1 < n; ++i) {
    const double a = static_cast<double>(i) / n - 0.5, b = static_cast<double>(shuffle(i)) / n - 0.5;
    self += 12 * a * b;
    next += 12 * b * (static_cast<double>(shuffle(i + 1)) / n - 0.5);
  }
  CHECK(std::abs(self) < 5 * std::sqrt(n));
  CHECK(std::abs(next) < 5 * std::sqrt(n));
}

TEST_CASE("order: a pure function of position, each epoch whole and different") {
  const ul::order order(100, ul::key(7));
  std::vector<ul::extent> first, second;
  for (ul::extent p = 0; p < 100; ++p) first.push_back(order(p));
  for (ul::extent p = 199; p >= 100; --p) second.insert(second.begin(), order(p));
  CHECK(first != second);
  CHECK(order.epoch(99) == 0);
  CHECK(order.epoch(100) == 1);
  CHECK(ul::order(100, ul::key(7))(150) == second[50]);
  CHECK(ul::order(100, ul::key(8))(150) != second[50]);
  for (auto* epoch : {&first, &second}) {
    std::sort(epoch->begin(), epoch->end());
    for (ul::extent i = 0; i < 100; ++i) REQUIRE((*epoch)[static_cast<std::size_t>(i)] == i);
  }
  CHECK(contains(error_of([] { ul::order(0, ul::key(7)); }), "the data set is empty"));
  CHECK(contains(error_of([&] { order(-1); }), "position is -1"));
}

TEST_CASE("grid: cells in rows, a gap between, the background where there is no picture") {
  const float values[] = {-1, 1, 1, -1, -1, -1};  // three pictures of 1 x 2
  const ul::image sheet = ul::grid(values, {3, 1, 2, 1}, 2, {.gap = 1, .background = 9});
  CHECK(sheet.height == 3);
  CHECK(sheet.width == 5);
  CHECK(sheet.pixels == std::vector<unsigned char>{0, 255, 9, 255, 0, 9, 9, 9, 9, 9, 0, 0, 9, 9, 9});
  const ul::image large = ul::grid(values, {1, 1, 2, 1}, 8, {.gap = 0, .scale = 2});
  CHECK(large.pixels == std::vector<unsigned char>{0, 0, 255, 255, 0, 0, 255, 255});
  CHECK(contains(error_of([&] { ul::grid(values, {3, 2, 1}, 2); }), "grid: shape is (3, 2, 1), expected (B, H, W, C)"));
  CHECK(contains(error_of([&] { ul::grid(values, {0, 1, 2, 1}, 2); }), "shape is (0, 1, 2, 1)"));
  CHECK(contains(error_of([&] { ul::grid(values, {3, 1, 1, 2}, 2); }), "2 channels"));
  CHECK(contains(error_of([&] { ul::grid(values, {3, 1, 2, 1}, 0); }), "columns is 0"));
}
