// The CPU's own kernels against their composed versions on the reference, at odd sizes.
#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>

#include "support.hpp"

using namespace ul;

namespace {

cpu_options with_threads(extent n) { return {.threads = n, .executor = executor_kind::jthread}; }

template <class T>
constexpr double unit = std::is_same_v<T, double> ? 2.3e-16 : 1.2e-7;

conv_axis axis(extent in, extent kernel, extent stride, extent pad) {
  return {in, (in + 2 * pad - kernel) / stride + 1, kernel, stride, pad};
}

std::vector<conv_shape> conv_shapes() {
  std::vector<conv_shape> all;
  const auto add = [&](extent batch, conv_axis a, conv_axis b, conv_axis c, extent in, extent out) {
    conv_shape s;
    s.batch = batch, s.axis[0] = a, s.axis[1] = b, s.axis[2] = c, s.channels_in = in, s.channels_out = out;
    all.push_back(s);
  };
  const conv_axis none;
  for (extent n = 1; n <= 9; ++n) add(1 + n % 3, none, axis(n, 3, 1, 1), axis(10 - n, 3, 1, 1), 2 + n, 11 - n);
  for (const extent channels : {1, 3, 8, 17}) add(2, none, axis(5, 3, 1, 1), axis(7, 3, 1, 1), channels, 20 - channels);
  add(2, none, axis(9, 3, 2, 1), axis(8, 3, 2, 1), 5, 6);              // down-sampling
  add(1, none, axis(6, 4, 2, 1), axis(9, 5, 3, 2), 3, 9);              // even and wide kernels
  add(1, none, axis(6, 3, 1, 0), axis(7, 2, 1, 0), 9, 4);              // no padding
  add(2, none, axis(4, 2, 2, 0), axis(6, 2, 2, 0), 4, 8);              // patches
  add(3, none, axis(5, 1, 1, 0), axis(3, 1, 1, 0), 10, 33);            // pointwise
  add(2, none, axis(7, 1, 2, 0), axis(8, 2, 3, 1), 5, 6);              // inputs that are not read
  add(2, none, none, axis(19, 5, 1, 2), 6, 7);                         // one axis
  add(2, axis(4, 3, 1, 1), axis(5, 3, 2, 1), axis(3, 3, 1, 1), 3, 5);  // three axes
  add(1, none, axis(12, 3, 1, 1), axis(13, 3, 1, 1), 40, 24);          // several pieces of the depth
  for (const extent pad : {0, 1, 2})
    add(2, none, axis(14, 3, 1, pad), axis(11, 3, 1, pad), 17 + pad, 33 - pad);  // Winograd, with edges
  add(1, none, axis(8, 3, 1, 1), axis(8, 3, 1, 1), 300, 16);                     // Winograd, in pieces
  add(0, none, axis(5, 3, 1, 1), axis(5, 3, 1, 1), 4, 4);                        // no sample
  return all;
}

template <class T>
struct conv_results {
  std::vector<T> y, dx, dweight;
};

// Noise of float precision in any T, so that results of different precision can be compared.
template <class T>
std::vector<T> float_noise(extent n, std::uint64_t seed) {
  const auto x = noise<float>(n, seed);
  return std::vector<T>(x.begin(), x.end());
}

template <class T, class Device>
conv_results<T> convolved(Device& device, const conv_shape& s, store_mode mode) {
  const extent inputs = s.batch * s.inputs() * s.channels_in, outputs = s.batch * s.outputs() * s.channels_out;
  const auto x = float_noise<T>(inputs, 1), weight = float_noise<T>(s.patch() * s.channels_out, 2),
             dy = float_noise<T>(outputs, 3);
  const auto bias = float_noise<T>(s.channels_out, 4);
  conv_results<T> r{float_noise<T>(outputs, 5), float_noise<T>(inputs, 6),
                    float_noise<T>(s.patch() * s.channels_out, 7)};
  const bool plain = mode == store_mode::replace;
  launch(device, conv_forward<T>{s, x.data(), weight.data(), plain ? nullptr : bias.data(), r.y.data(),
                                 plain ? activation::none : activation::silu});
  launch(device, conv_data<T>{s, dy.data(), weight.data(), r.dx.data(), mode});
  launch(device, conv_weights<T>{s, x.data(), dy.data(), r.dweight.data(), mode});
  return r;
}

}  // namespace

TEST_CASE_TEMPLATE("convolution equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  for (const conv_shape& s : conv_shapes())
    for (const store_mode mode : {store_mode::replace, store_mode::add}) {
      const auto found = convolved<T>(device, s, mode), truth = convolved<T>(plain, s, mode);
      const auto bound = [](extent terms) { return unit<T> * 8 * (3 + 2 * std::sqrt(static_cast<double>(terms))); };
      CAPTURE(s.axis[1].in);
      CAPTURE(s.axis[2].in);
      CAPTURE(s.channels_in);
      CAPTURE(s.channels_out);
      // The transforms of Winograd's algorithm multiply by up to 8 and divide by as much again.
      const double y_factor = simd::suits_winograd(s) ? 16 : 1, dx_factor = simd::suits_winograd_adjoint(s) ? 16 : 1;
      CHECK(largest_difference(found.y, truth.y) <= bound(s.patch()) * y_factor);
      CHECK(largest_difference(found.dx, truth.dx) <= bound(s.taps() * s.channels_out) * dx_factor);
      CHECK(largest_difference(found.dweight, truth.dweight) <= bound(s.batch * s.outputs()) * y_factor);
    }
}

TEST_CASE("Winograd's algorithm is accurate") {
  cpu device(with_threads(2));
  reference plain;
  conv_shape s;
  s.batch = 1, s.axis[1] = axis(12, 3, 1, 1), s.axis[2] = axis(16, 3, 1, 1), s.channels_in = 128, s.channels_out = 64;
  REQUIRE(simd::suits_winograd(s));
  const auto found = convolved<float>(device, s, store_mode::replace);
  const auto truth = convolved<double>(plain, s, store_mode::replace);
  const auto relative = [](const std::vector<float>& a, const std::vector<double>& b) {
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      error += (wide(a[i]) - b[i]) * (wide(a[i]) - b[i]);
      norm += b[i] * b[i];
    }
    return std::sqrt(error / norm);
  };
  CHECK(relative(found.y, truth.y) <= 5e-6);
  CHECK(relative(found.dx, truth.dx) <= 5e-6);
  CHECK(relative(found.dweight, truth.dweight) <= 1e-5);
}

TEST_CASE("convolution: the same bits for any number of threads, and for a sample in any batch") {
  cpu one(with_threads(1));
  conv_shape s;
  s.batch = 5, s.axis[1] = axis(13, 3, 1, 1), s.axis[2] = axis(11, 3, 1, 1), s.channels_in = 40, s.channels_out = 70;
  const auto truth = convolved<float>(one, s, store_mode::replace);
  for (const extent n : {2, 3, 8}) {
    cpu device(with_threads(n));
    const auto found = convolved<float>(device, s, store_mode::replace);
    CHECK(same_bits(found.y, truth.y));
    CHECK(same_bits(found.dx, truth.dx));
    CHECK(same_bits(found.dweight, truth.dweight));
  }
  // The noise of a smaller batch begins like that of a larger one.
  s.batch = 1;
  const auto first = convolved<float>(one, s, store_mode::replace);
  CHECK(std::memcmp(first.y.data(), truth.y.data(), first.y.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(first.dx.data(), truth.dx.data(), first.dx.size() * sizeof(float)) == 0);
}

namespace {

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

namespace {

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
