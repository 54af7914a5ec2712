// The CPU's own norms against the composed ones on the reference, at odd sizes.

#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>

#include "kernel_support.hpp"

using namespace ul;

namespace {

using support::unit;
using support::with_threads;

template <class T>
struct norm_results {
  std::vector<T> y, mean, rstd, dx, dweight, dbias, dscale, dshift;
};

template <class T>
double largest_difference(const norm_results<T>& a, const norm_results<T>& b) {
  double most = 0;
  for (const auto member :
       {&norm_results<T>::y, &norm_results<T>::mean, &norm_results<T>::rstd, &norm_results<T>::dx,
        &norm_results<T>::dweight, &norm_results<T>::dbias, &norm_results<T>::dscale, &norm_results<T>::dshift}) {
    double scale = 1;
    for (const T t : b.*member) scale = (std::max)(scale, std::fabs(wide(t)));
    most = (std::max)(most, ::largest_difference(a.*member, b.*member) / scale);
  }
  return most;
}

template <class T>
bool same_bits(const norm_results<T>& a, const norm_results<T>& b) {
  return ::same_bits(a.y, b.y) && ::same_bits(a.mean, b.mean) && ::same_bits(a.rstd, b.rstd) &&
         ::same_bits(a.dx, b.dx) && ::same_bits(a.dweight, b.dweight) && ::same_bits(a.dbias, b.dbias) &&
         ::same_bits(a.dscale, b.dscale) && ::same_bits(a.dshift, b.dshift);
}

// `centre` moves the data away from zero, where a careless variance cancels.
template <class T, class Device>
norm_results<T> group_normed(Device& device, const group_norm_shape& s, activation act, bool affine, store_mode mode,
                             double centre = 0) {
  const extent n = s.batch * s.positions * s.channels, groups = s.batch * s.groups;
  auto x = noise<T>(n, 1);
  for (T& t : x) t += static_cast<T>(centre);
  const auto dy = noise<T>(n, 2), weight = noise<T>(s.channels, 3), bias = noise<T>(s.channels, 4);
  norm_results<T> r{noise<T>(n, 5),
                    noise<T>(groups, 6),
                    noise<T>(groups, 7),
                    noise<T>(n, 8),
                    noise<T>(s.channels, 9),
                    noise<T>(s.channels, 10),
                    {},
                    {}};
  const T *const w = affine ? weight.data() : nullptr, *const b = affine ? bias.data() : nullptr;
  launch(device, group_norm_forward<T>{s, x.data(), w, b, r.y.data(), r.mean.data(), r.rstd.data(), 1e-5, act});
  launch(device, group_norm_backward<T>{s, x.data(), w, b, r.mean.data(), r.rstd.data(), act, dy.data(), r.dx.data(),
                                        mode, affine ? r.dweight.data() : nullptr, affine ? r.dbias.data() : nullptr});
  return r;
}

template <class T, class Device>
norm_results<T> row_normed(Device& device, row_norm_shape s, bool affine, bool modulated, store_mode mode,
                           double centre = 0) {
  const extent rows = s.samples * s.rows, n = rows * s.channels;
  s.modulation_stride = 2 * s.channels + 1;
  auto x = noise<T>(n, 1);
  for (T& t : x) t += static_cast<T>(centre);
  const auto dy = noise<T>(n, 2), weight = noise<T>(s.channels, 3), bias = noise<T>(s.channels, 4);
  const auto modulation = noise<T>(s.samples * s.modulation_stride, 11);
  norm_results<T> r{noise<T>(n, 5),
                    noise<T>(rows, 6),
                    noise<T>(rows, 7),
                    noise<T>(n, 8),
                    noise<T>(s.channels, 9),
                    noise<T>(s.channels, 10),
                    noise<T>(s.samples * s.modulation_stride, 12),
                    noise<T>(s.samples * s.modulation_stride, 13)};
  const T *const w = affine ? weight.data() : nullptr, *const b = affine ? bias.data() : nullptr;
  const T* const scale = modulated ? modulation.data() : nullptr;
  launch(device, row_norm_forward<T>{s, x.data(), w, b, scale, modulated ? scale + s.channels : nullptr, r.y.data(),
                                     r.mean.data(), r.rstd.data(), 1e-6});
  launch(device, row_norm_backward<T>{s, x.data(), w, b, scale, r.mean.data(), r.rstd.data(), dy.data(), r.dx.data(),
                                      mode, affine ? r.dweight.data() : nullptr, affine ? r.dbias.data() : nullptr,
                                      modulated ? r.dscale.data() : nullptr, modulated ? r.dshift.data() : nullptr});
  return r;
}

}  // namespace

TEST_CASE_TEMPLATE("group norm equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  struct size {
    extent batch, positions, channels, groups;
  };
  for (const size z : {size{2, 1, 8, 2}, size{1, 9, 6, 3}, size{3, 63, 14, 7}, size{2, 64, 8, 8}, size{2, 65, 32, 4},
                       size{1, 200, 9, 1}, size{3, 300, 33, 11}, size{0, 5, 4, 2}})
    for (const activation act : {activation::none, activation::silu, activation::gelu})
      for (const bool affine : {false, true}) {
        const group_norm_shape s{z.batch, z.positions, z.channels, z.groups};
        const store_mode mode = affine ? store_mode::add : store_mode::replace;
        // Two values in a group, or one, are a step function of the data: compare where the statistics are sane.
        const double bound = unit<T> * 40 * (z.positions == 1 ? 20 : 1);
        CAPTURE(z.positions);
        CAPTURE(z.channels);
        CHECK(largest_difference(group_normed<T>(device, s, act, affine, mode),
                                 group_normed<T>(plain, s, act, affine, mode)) <= bound);
      }
}

TEST_CASE_TEMPLATE("row norm equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  struct size {
    extent samples, rows, channels;
  };
  for (const size z : {size{2, 1, 8}, size{1, 9, 6}, size{3, 63, 14}, size{2, 65, 32}, size{2, 130, 9}, size{3, 2, 300},
                       size{1, 3, 1100}, size{0, 5, 4}, size{2, 0, 4}})
    for (const centring centre : {centring::mean, centring::none})
      for (const bool affine : {false, true})
        for (const bool modulated : {false, true}) {
          const row_norm_shape s{z.samples, z.rows, z.channels, centre, 0};
          const store_mode mode = affine ? store_mode::add : store_mode::replace;
          CAPTURE(z.rows);
          CAPTURE(z.channels);
          CHECK(largest_difference(row_normed<T>(device, s, affine, modulated, mode),
                                   row_normed<T>(plain, s, affine, modulated, mode)) <= unit<T> * 40);
        }
}

TEST_CASE("norms of data far from zero") {
  cpu device(with_threads(1));
  reference plain;
  const group_norm_shape g{2, 300, 16, 4};
  const row_norm_shape r{2, 30, 100, centring::mean, 0};
  // Numbers near 100 carry errors of 4e-6 themselves; gains and modulations make them some 10 times as large.
  CHECK(largest_difference(group_normed<float>(device, g, activation::silu, true, store_mode::replace, 100).y,
                           group_normed<float>(plain, g, activation::silu, true, store_mode::replace, 100).y) <= 8e-5);
  CHECK(largest_difference(row_normed<float>(device, r, true, true, store_mode::replace, 100).y,
                           row_normed<float>(plain, r, true, true, store_mode::replace, 100).y) <= 8e-5);
}

TEST_CASE("norms: the same bits for any number of threads") {
  cpu one(with_threads(1));
  const group_norm_shape g{3, 500, 48, 8};
  const row_norm_shape r{3, 150, 100, centring::mean, 0};
  const auto group = group_normed<float>(one, g, activation::silu, true, store_mode::replace);
  const auto row = row_normed<float>(one, r, true, true, store_mode::replace);
  for (const extent n : {2, 3, 8}) {
    cpu device(with_threads(n));
    CHECK(same_bits(group_normed<float>(device, g, activation::silu, true, store_mode::replace), group));
    CHECK(same_bits(row_normed<float>(device, r, true, true, store_mode::replace), row));
  }
}
