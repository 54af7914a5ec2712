// The CPU's own convolutions against the composed ones on the reference, at odd sizes.

#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>

#include "kernel_support.hpp"

using namespace ul;

namespace {

using support::unit;
using support::with_threads;

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

// How far sums of so many products of noise may differ. The transforms of Winograd's algorithm multiply by up to 8 and
// divide by as much again.
template <class T>
double bound(extent terms) {
  return unit<T> * 8 * (3 + 2 * std::sqrt(static_cast<double>(terms)));
}
constexpr double winograd_factor = 16;

// The root mean square of the differences over that of the truth.
double relative_error(const std::vector<float>& found, const std::vector<double>& truth) {
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    error += (wide(found[i]) - truth[i]) * (wide(found[i]) - truth[i]);
    norm += truth[i] * truth[i];
  }
  return std::sqrt(error / norm);
}

}  // namespace

TEST_CASE_TEMPLATE("convolution equals the reference", T, float, double) {
  cpu device(with_threads(2));
  reference plain;
  for (const conv_shape& s : conv_shapes())
    for (const store_mode mode : {store_mode::replace, store_mode::add}) {
      const auto found = convolved<T>(device, s, mode), truth = convolved<T>(plain, s, mode);
      CAPTURE(s.axis[1].in);
      CAPTURE(s.axis[2].in);
      CAPTURE(s.channels_in);
      CAPTURE(s.channels_out);
      const double y_factor = simd::suits_winograd(s) ? winograd_factor : 1;
      const double dx_factor = simd::suits_winograd_adjoint(s) ? winograd_factor : 1;
      CHECK(largest_difference(found.y, truth.y) <= bound<T>(s.patch()) * y_factor);
      CHECK(largest_difference(found.dx, truth.dx) <= bound<T>(s.taps() * s.channels_out) * dx_factor);
      CHECK(largest_difference(found.dweight, truth.dweight) <= bound<T>(s.batch * s.outputs()) * y_factor);
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
  CHECK(relative_error(found.y, truth.y) <= 5e-6);
  CHECK(relative_error(found.dx, truth.dx) <= 5e-6);
  CHECK(relative_error(found.dweight, truth.dweight) <= 1e-5);
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

TEST_CASE("gradient of weights: threads that sum apart, and that meet several times, give the same bits") {
  conv_shape s;
  s.batch = 2, s.axis[1] = axis(60, 3, 1, 1), s.axis[2] = axis(42, 3, 1, 1), s.channels_out = 40;
  for (const extent channels : {16, 64, 160, 270}) {
    s.channels_in = channels;
    REQUIRE(simd::suits_winograd(s));
    const auto x = float_noise<float>(s.batch * s.inputs() * s.channels_in, 1),
               dy = float_noise<float>(s.batch * s.outputs() * s.channels_out, 2);
    const auto gradient = [&](auto&& device) {
      std::vector<float> dweight(static_cast<std::size_t>(s.patch() * s.channels_out));
      launch(device, conv_weights<float>{s, x.data(), dy.data(), dweight.data(), store_mode::replace});
      return dweight;
    };
    const auto truth = gradient(cpu(with_threads(1)));
    CHECK(largest_difference(truth, gradient(reference())) <= bound<float>(s.batch * s.outputs()) * winograd_factor);
    for (const extent n : {2, 3, 8}) CHECK(same_bits(gradient(cpu(with_threads(n))), truth));
  }
}

// Beside few tiles two threads, and of 530 channels four, transform the weights of output channels of their own.
TEST_CASE("convolution: threads with channels of their own give the same bits") {
  conv_shape s;
  s.batch = 2, s.axis[1] = axis(9, 3, 1, 1), s.axis[2] = axis(8, 3, 1, 1);
  for (const auto& [in, out] : {std::pair<extent, extent>{40, 530}, {300, 40}, {270, 300}}) {
    s.channels_in = in, s.channels_out = out;
    REQUIRE(simd::suits_winograd(s));
    for (const store_mode mode : {store_mode::replace, store_mode::add}) {
      cpu one(with_threads(1));
      reference plain;
      const auto found = convolved<float>(one, s, mode);
      const auto truth = convolved<double>(plain, s, mode);
      CHECK(relative_error(found.y, truth.y) <= 5e-6);
      CHECK(relative_error(found.dx, truth.dx) <= 5e-6);
      CHECK(relative_error(found.dweight, truth.dweight) <= 1e-5);
      for (const extent n : {2, 3, 4}) {
        cpu device(with_threads(n));
        const auto again = convolved<float>(device, s, mode);
        CHECK(same_bits(again.y, found.y));
        CHECK(same_bits(again.dx, found.dx));
        CHECK(same_bits(again.dweight, found.dweight));
      }
    }
  }
}
