#include <doctest/doctest.h>
#include <ul/data/loader.hpp>
#include <ul/data/memory_set.hpp>

#include <atomic>
#include <chrono>

#include "../io/support.hpp"

namespace {

using support::contains;
using support::error_of;

// Item i holds (i, -i); counts its reads, and fails at one of them.
struct counting {
  ul::extent count = 10;
  ul::extent broken = -1;
  std::atomic<int>* reads = nullptr;

  ul::extent size() const { return count; }
  ul::extents extents() const { return {1, 2, 1}; }
  ul::extent classes() const { return count; }
  ul::extent label(ul::extent i) const { return i; }
  void read(ul::extent i, float* out) const {
    if (reads) ++*reads;
    if (i == broken) ul::fail("item ", i, " is broken");
    out[0] = static_cast<float>(i);
    out[1] = -out[0];
  }
};

template <class Loader>
std::vector<ul::extent> items(Loader& loader, int batches) {
  std::vector<ul::extent> out;
  for (int b = 0; b < batches; ++b) {
    const ul::batch& next = loader.next();
    for (std::size_t k = 0; k < next.items.size(); ++k) {
      CHECK(next.values[2 * k] == static_cast<float>(next.items[k]));
      CHECK(next.labels[k] == next.items[k]);
    }
    out.insert(out.end(), next.items.begin(), next.items.end());
  }
  return out;
}

}  // namespace

TEST_CASE("loader: the order of the run, read ahead or not, from any step") {
  const counting set;
  const ul::order order(10, ul::key(7));
  std::vector<ul::extent> expected;
  for (ul::extent p = 0; p < 60; ++p) expected.push_back(order(p));
  for (const ul::extent ahead : {0, 1, 2, 7}) {
    ul::loader whole(set, order, {.batch = 3, .ahead = ahead});
    CHECK(items(whole, 20) == expected);
    ul::loader resumed(set, order, {.batch = 3, .first_step = 8, .ahead = ahead});
    CHECK(resumed.next().step == 8);
    CHECK(items(resumed, 11) == std::vector<ul::extent>(expected.begin() + 27, expected.end()));
  }
  ul::loader shape(set, order, {.batch = 3});
  CHECK(shape.next().shape == ul::extents{3, 1, 2, 1});
}

TEST_CASE("loader: a batch stays as it is until the next call") {
  const counting set;
  ul::loader loader(set, ul::order(10, ul::key(7)), {.batch = 4, .ahead = 1});
  for (int b = 0; b < 200; ++b) {
    const ul::batch& held = loader.next();
    const ul::batch copy = held;
    std::this_thread::yield();
    CHECK(held.values == copy.values);
    CHECK(held.step == b);
  }
}

TEST_CASE("loader: reads no further ahead than asked") {
  std::atomic<int> reads = 0;
  const counting set{.reads = &reads};
  {
    ul::loader loader(set, ul::order(10, ul::key(7)), {.batch = 1, .ahead = 3});
    loader.next();
    for (int wait = 0; wait < 1000 && reads < 4; ++wait) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(reads == 4);  // one handed out, three ahead
  }
  CHECK(reads == 4);
}

TEST_CASE("loader: an error reaches the consumer at its batch, and again") {
  const ul::order order(10, ul::key(7));
  const counting set{.broken = order(7)};
  for (const ul::extent ahead : {0, 2}) {
    ul::loader loader(set, order, {.batch = 2, .ahead = ahead});
    for (int b = 0; b < 3; ++b) CHECK(loader.next().step == b);
    for (int again = 0; again < 2; ++again) CHECK(contains(error_of([&] { loader.next(); }), "is broken"));
  }
}

TEST_CASE("loader: ends at once, whatever it is doing") {
  const counting set;
  for (int round = 0; round < 50; ++round) {
    ul::loader loader(set, ul::order(10, ul::key(7)), {.batch = 2, .ahead = 2});
    if (round % 2) loader.next();
  }
}

TEST_CASE("loader: mirrors half of the items, the same ones every time") {
  const counting set{.count = 1000};
  const ul::order order(1000, ul::key(7));
  ul::loader loader(set, order, {.batch = 1000}, ul::random_flip{}),
      same(set, order, {.batch = 1000, .ahead = 0}, ul::random_flip{});
  const ul::batch& batch = loader.next();
  CHECK(batch.values == same.next().values);
  int flipped = 0;
  for (std::size_t k = 0; k < 1000; ++k) flipped += batch.values[2 * k] < batch.values[2 * k + 1];
  CHECK(std::abs(flipped - 500) < 80);  // 5 standard deviations
  const std::vector<float> first = batch.values;
  const std::vector<ul::extent> order_one = batch.items;
  const ul::batch& second = loader.next();
  CHECK(second.items != order_one);
  float row[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  ul::random_flip::flip(row, {2, 3, 2});
  CHECK(std::vector<float>(row, row + 12) == std::vector<float>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8});
}

TEST_CASE("augment: a shift moves pictures whole, by up to its reach and every way alike") {
  const auto shifted = [](ul::extent down, ul::extent right) {
    std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    ul::random_shift{}.shift(x.data(), {2, 3, 2}, down, right);
    return x;
  };
  CHECK(shifted(0, 0) == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(shifted(1, 0) == std::vector<float>{-1, -1, -1, -1, -1, -1, 1, 2, 3, 4, 5, 6});
  CHECK(shifted(0, -1) == std::vector<float>{3, 4, 5, 6, -1, -1, 9, 10, 11, 12, -1, -1});
  CHECK(shifted(-1, 2) == std::vector<float>{-1, -1, -1, -1, 7, 8, -1, -1, -1, -1, -1, -1});

  // One bright pixel in the middle of 5 x 5 comes to all of the 3 x 3 around it, equally often.
  int places[25] = {};
  for (std::uint64_t i = 0; i < 9000; ++i) {
    std::vector<float> x(25);
    x[12] = 1;
    ul::random_shift{.reach = 1, .beyond = 0}(x.data(), {5, 5, 1}, ul::key(3).fold_in(i));
    ++places[std::find(x.begin(), x.end(), 1) - x.begin()];
  }
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 5; ++x) {
      const bool near = std::abs(y - 2) <= 1 && std::abs(x - 2) <= 1;
      CHECK(std::abs(places[5 * y + x] - (near ? 1000 : 0)) <= (near ? 150 : 0));  // 5 standard deviations
    }
}

TEST_CASE("loader: options that make no batch are refused") {
  const counting set;
  const ul::order order(10, ul::key(7));
  const auto loader_error = [&](const ul::loader_options& options) {
    return error_of([&] { ul::loader loader(set, order, options); });
  };
  CHECK(contains(loader_error({.batch = 0}), "loader: batch is 0"));
  CHECK(contains(loader_error({.first_step = -1}), "first_step is -1"));
  CHECK(contains(loader_error({.ahead = -1}), "ahead is -1"));
  CHECK(contains(error_of([&] { ul::loader loader(set, ul::order(9, ul::key(7))); }),
                 "the order is of 9 items, the set has 10"));
}
