// The CPU's own attention, softmax, Adam and dropout against their composed versions on the reference, at odd sizes.

#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>

#include "kernel_support.hpp"

using namespace ul;

namespace {

using support::unit;
using support::with_threads;

// q, k and v side by side in one tensor, as a fused projection leaves them; out and the gradients likewise.
template <class T, class Device>
std::vector<T> attended(Device& device, extent batch, extent heads, extent queries, extent keys, extent depth) {
  const extent row = 3 * heads * depth + 1, tokens = (std::max)(queries, keys), n = batch * tokens * row;
  const auto x = noise<T>(n, 1), dy = noise<T>(n, 2);
  auto y = noise<T>(n, 3), dx = noise<T>(n, 4), lse = noise<T>(batch * heads * queries, 5);
  const attention_shape s{batch, heads, queries, keys, depth, 1 / std::sqrt(static_cast<double>(depth))};
  const auto part = [&]<class E>(E* data, extent i) {
    return head_rows<E>{data + i * heads * depth, tokens * row, row};
  };
  launch(device, attention_forward<T>{s, part(x.data(), 0), part(x.data(), 1), part(x.data(), 2), part(y.data(), 1),
                                      lse.data()});
  const T* const out = y.data();
  launch(device, attention_backward<T>{s, part(x.data(), 0), part(x.data(), 1), part(x.data(), 2), part(out, 1),
                                       part(dy.data(), 0), lse.data(), part(dx.data(), 0), part(dx.data(), 1),
                                       part(dx.data(), 2)});
  y.insert(y.end(), dx.begin(), dx.end());
  y.insert(y.end(), lse.begin(), lse.end());
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("attention equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  struct size {
    extent batch, heads, queries, keys, depth;
  };
  for (const size z :
       {size{1, 1, 1, 1, 1}, size{2, 3, 5, 7, 4}, size{1, 2, 49, 50, 8}, size{1, 1, 3, 300, 9}, size{1, 2, 150, 3, 17},
        size{2, 1, 80, 270, 16}, size{0, 2, 3, 3, 4}, size{1, 1, 2, 3, 260}, size{1, 1, 0, 3, 4}}) {
    CAPTURE(z.queries);
    CAPTURE(z.keys);
    CAPTURE(z.depth);
    CHECK(largest_difference(attended<T>(device, z.batch, z.heads, z.queries, z.keys, z.depth),
                             attended<T>(plain, z.batch, z.heads, z.queries, z.keys, z.depth)) <= unit<T> * 100);
  }
}

TEST_CASE("attention: the same bits for any number of threads, and for a sample in any batch") {
  cpu one(with_threads(1));
  const auto truth = attended<float>(one, 2, 1, 130, 270, 16);
  for (const extent n : {2, 3, 8}) {
    cpu device(with_threads(n));
    CHECK(same_bits(attended<float>(device, 2, 1, 130, 270, 16), truth));
  }
  const auto first = attended<float>(one, 1, 1, 130, 270, 16);
  CHECK(std::memcmp(first.data(), truth.data(), 270 * 49 * sizeof(float)) == 0);
}

TEST_CASE_TEMPLATE("softmax equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  const auto run = [](auto& d, extent rows, extent columns, store_mode mode) {
    auto x = noise<T>(rows * columns, 1);
    for (T& t : x) t = 5 * t + 40;
    const auto dy = noise<T>(rows * columns, 2);
    std::vector<T> y(x.size());
    auto dx = noise<T>(rows * columns, 3);
    launch(d, softmax_forward<T>{rows, columns, x.data(), y.data()});
    launch(d, softmax_backward<T>{rows, columns, y.data(), dy.data(), dx.data(), mode});
    y.insert(y.end(), dx.begin(), dx.end());
    return y;
  };
  for (const extent rows : {0, 1, 5})
    for (const extent columns : {0, 1, 3, 7, 8, 9, 17, 100, 1500})
      for (const store_mode mode : {store_mode::replace, store_mode::add})
        // Three units of the exponential, times differences of gradients of up to 8, twice.
        CHECK(largest_difference(run(device, rows, columns, mode), run(plain, rows, columns, mode)) <= unit<T> * 48);
}

TEST_CASE_TEMPLATE("Adam equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  const auto run = [](auto& d, extent n, weight_decay kind, bool extras) {
    std::vector<T> all = noise<T>(6 * n, 1);
    for (extent i = 3 * n; i < 4 * n; ++i) all[static_cast<std::size_t>(i)] *= all[static_cast<std::size_t>(i)];
    T* const p = all.data();
    adam_step<T> step;
    step.count = n, step.value = p, step.gradient = p + n, step.first = p + 2 * n, step.second = p + 3 * n;
    if (extras) step.average = p + 4 * n, step.shadow = p + 5 * n;
    step.gradient_scale = 0.5, step.rate = 0.01, step.decay = 0.1, step.kind = kind;
    step.correction1 = 0.3, step.correction2 = 0.01, step.average_decay = 0.99;
    launch(d, step);
    return all;
  };
  for (const extent n : {0, 1, 7, 8, 9, 20000})
    for (const weight_decay kind : {weight_decay::coupled, weight_decay::decoupled})
      for (const bool extras : {false, true}) {
        const auto found = run(device, n, kind, extras), truth = run(plain, n, kind, extras);
        double most = 0;
        for (const T t : truth) most = (std::max)(most, std::fabs(wide(t)));
        CHECK(largest_difference(found, truth) <= unit<T> * 4 * most);
      }
}

TEST_CASE_TEMPLATE("dropout is the reference's, bit for bit", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  const auto run = [](auto& d, extent n, double rate, store_mode mode) {
    const auto x = noise<T>(n, 1);
    auto y = noise<T>(n, 2);
    launch(d, drop_elements<T>{n, key(3), rate, x.data(), y.data(), mode});
    return y;
  };
  for (const extent n : {0, 1, 4, 63, 64, 65, 5000})
    for (const double rate : {0.1, 0.5, 0.75})
      for (const store_mode mode : {store_mode::replace, store_mode::add})
        CHECK(same_bits(run(device, n, rate, mode), run(plain, n, rate, mode)));
}
