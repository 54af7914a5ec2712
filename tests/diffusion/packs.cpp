// The scalar formulas in the SIMD packs of the cpu backend, against scalar double.

#include <doctest/doctest.h>

#include <cmath>

#include <ul/backend/cpu/pack_math.hpp>
#include <ul/diffusion/beta_schedule.hpp>
#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/edm_schedule.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/flow_schedule.hpp>
#include <ul/diffusion/interpolated_schedule.hpp>
#include <ul/diffusion/karras_schedule.hpp>
#include <ul/diffusion/learned_schedule.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/prediction.hpp>
#include <ul/diffusion/weighting.hpp>

namespace {

// f on a pack of neighbouring inputs from x on, every lane against f in double. `scale` is what errors are relative to.
template <class T, class F>
void check_lanes(F f, double x, double scale = 0) {
  using pack = ul::pack<T>;
  T in[pack::size], out[pack::size];
  for (ul::extent i = 0; i < pack::size; ++i) in[i] = static_cast<T>(x * (1 + 0.001 * double(i)));
  const pack result = f(pack::load(in));
  result.store(out);
  for (ul::extent i = 0; i < pack::size; ++i) {
    const double exact = f(double(in[i])), tolerance = sizeof(T) == 4 ? 4e-6 : 2e-14;
    CAPTURE(in[i]);
    CHECK(std::abs(double(out[i]) - exact) <= tolerance * std::fmax(std::abs(exact), scale));
  }
}
template <class F>
void check_packs(F f, double x, double scale = 0) {
  check_lanes<float>(f, x, scale);
  check_lanes<double>(f, x, scale);
}

template <class S>
void check_schedule(const S& s) {
  for (double t = 0.01; t < 0.99; t += 0.033) {
    check_packs([&s](auto u) { return s.logsnr(u); }, t, 1);
    check_packs([&s](auto u) { return s.dlogsnr(u); }, t);
    check_packs([&s](auto l) { return s.time(l); }, s.logsnr(t), 1);
  }
}

}  // namespace

TEST_CASE("schedules in packs") {
  check_schedule(ul::linear_schedule{});
  check_schedule(ul::cosine_schedule{.shift = -1.4});
  check_schedule(ul::interpolated_schedule{.shift_high = -1, .shift_low = -3});
  check_schedule(ul::flow_schedule{});
  check_schedule(ul::karras_schedule{});
  check_schedule(ul::linear_beta_schedule{});
  check_schedule(ul::scaled_linear_beta_schedule{});
  check_schedule(ul::learned_schedule{});
  // The normal tail multiplies the rounding of t by the slope of the quantile.
  const ul::edm_schedule edm;
  for (double t = 0.1; t < 0.9; t += 0.033) {
    check_packs([&edm](auto u) { return edm.logsnr(u); }, t, 2);
    check_packs([&edm](auto u) { return edm.dlogsnr(u); }, t, 10);
  }
}

TEST_CASE("log-SNR algebra, predictions and weightings in packs") {
  for (double l = -20; l <= 20; l += 0.71) {
    CAPTURE(l);
    check_packs([](auto x) { return ul::alpha(x); }, l);
    check_packs([](auto x) { return ul::sigma(x); }, l);
    check_packs([](auto x) { return ul::log_alpha(x); }, l);
    check_packs([](auto x) { return ul::log_sigma(x); }, l);
    check_packs([](auto x) { return ul::flow_time(x); }, l);
    check_packs([](auto x) { return ul::edm_sigma(x); }, l);
    check_packs([](auto x) { return ul::edm_prediction{}.x(x).output; }, l);
    check_packs([](auto x) { return ul::flow_prediction{}.eps(x).state; }, l);
    check_packs([](auto x) { return ul::v_prediction{}.eps_error(x); }, l);
    check_packs([](auto x) { return ul::sigmoid_weight{.bias = -1.5, .loss_factor = 2}(x); }, l);
    check_packs([](auto x) { return ul::min_snr_weight{}(x); }, l);
    check_packs([](auto x) { return ul::edm_weight{}(x); }, l);
    check_packs([](auto x) { return ul::p2_weight{.power = 0.5}(x); }, l);
    // A difference of nearly equal terms below log-SNR 0: absolute error.
    check_packs([](auto x) { return ul::terminal_kl(decltype(x)(ul::constant<decltype(x)>(0.7)), x); }, l, 1);
  }
}
