// The variational bound in closed form: Gaussian data of scale s with their exact denoiser, whose mean squared error at
// log-SNR lambda is s^2 / (1 + s^2 e^lambda). Everything is computed by the library's loss code and integrated over
// time.

#include <doctest/doctest.h>

#include <cmath>

#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/elbo.hpp>
#include <ul/diffusion/flow_schedule.hpp>
#include <ul/diffusion/interpolated_schedule.hpp>
#include <ul/diffusion/learned_schedule.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/quadrature.hpp>

#include "gaussian_denoiser.hpp"

namespace {

using support::gain;

// The expected loss of one sample at time t under a prediction, from the coefficients alone: the error of F is linear
// in x and eps, F - F^ = (target.x - f x_gain) x + ..., so its mean square is known.
template <class S, class W, class P>
double expected_loss(const S& schedule, const W& weighting, const P& p, double s, double t) {
  const auto c = ul::coefficients_at(schedule, weighting, p, t);
  // F^ of the exact denoiser: solve x^ = state x_t + output F for F, then F - F^ in terms of x and eps.
  const double g = gain(s, c.logsnr), x_error = 1 - g * c.alpha, x_noise = -g * c.sigma;
  const double output = p.x(c.logsnr).output;
  const double on_x = x_error / output, on_eps = x_noise / output;  // error of F = error of x / output
  return c.weight * (on_x * on_x * s * s + on_eps * on_eps);
}

template <class S, class W = ul::elbo_weight, class P = ul::v_prediction>
double diffusion_term(const S& schedule, double s, const W& w = {}, const P& p = {}) {
  return ul::integrate([&](double t) { return expected_loss(schedule, w, p, s, t); }, 0, 1, 4000);
}

double mean_terminal_kl(double s, double logsnr) {
  return ul::terminal_kl(s, logsnr);  // quadratic in z, so its mean is its value at the rms
}

}  // namespace

TEST_CASE("Gaussian denoiser") {
  // gaussian_denoiser of the test vectors.
  const auto mse = [](double s, double logsnr) {
    const double g = gain(s, logsnr), a = ul::alpha(logsnr), n = ul::sigma(logsnr);
    return (1 - g * a) * (1 - g * a) * s * s + g * g * n * n;
  };
  CHECK(mse(1, 5) == doctest::Approx(0.0066928509242848554).epsilon(1e-12));
  CHECK(mse(0.5, 0) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(mse(2, 0) == doctest::Approx(0.8).epsilon(1e-14));
}

TEST_CASE("diffusion loss, terminal KL and latent bits of Gaussian data") {
  // gaussian_diffusion_loss, gaussian_terminal_kl and ul_latent_bits_exact_prior of the test vectors.
  const ul::linear_schedule schedule{.logsnr_max = 5, .logsnr_min = -10};
  CHECK(std::abs(diffusion_term(schedule, 1) - 2.5033349747949507) < 1e-10);
  CHECK(std::abs(diffusion_term(schedule, 0.5) - 1.8201446371522358) < 1e-10);
  CHECK(std::abs(diffusion_term(schedule, 2) - 3.1938979237406353) < 1e-10);
  CHECK(std::abs(mean_terminal_kl(1, -10) - 2.2699449608410314e-05) < 1e-15);
  CHECK(std::abs(mean_terminal_kl(0.5, -10) - 5.675248845027801e-06) < 1e-15);
  CHECK(std::abs(mean_terminal_kl(2, -10) - 9.079625266205139e-05) < 1e-15);

  const auto latent = [&](double s) {
    return ul::bound{.diffusion = diffusion_term(schedule, s), .terminal = mean_terminal_kl(s, -10)};
  };
  CHECK(std::abs(latent(1).nats() - 2.503357674244559) < 1e-10);
  CHECK(std::abs(latent(1).bits_per(1) - 3.6115817022039547) < 1e-10);
  CHECK(std::abs(latent(0.5).nats() - 1.820150312401081) < 1e-10);
  CHECK(std::abs(latent(2).nats() - 3.1939887199932975) < 1e-10);

  // As the noisiest level goes to -infinity: log2(1 + s^2 e^5) / 2 bits per dimension.
  for (const double s : {0.1, 1.0, 3.0}) {
    const ul::linear_schedule deep{.logsnr_max = 5, .logsnr_min = -40};
    const double nats = diffusion_term(deep, s) + mean_terminal_kl(s, -40);
    CHECK(std::abs(ul::bits(nats) - std::log2(1 + s * s * std::exp(5.0)) / 2) < 1e-10);
  }
}

TEST_CASE("the bound does not depend on the schedule's shape") {
  const double exact = diffusion_term(ul::linear_schedule{.logsnr_max = 10, .logsnr_min = -10}, 0.7);
  const auto check_equal = [&](const auto& schedule) {
    CHECK(std::abs(diffusion_term(schedule, 0.7) - exact) < 1e-10);
  };
  check_equal(ul::cosine_schedule{});
  check_equal(ul::cosine_schedule{.shift = -2.7});
  check_equal(ul::interpolated_schedule{.shift_high = -1, .shift_low = -4});
  check_equal(ul::flow_schedule{.shift = 1});
  check_equal(ul::learned_schedule{.parameters = ul::learned_schedule::initial(10, -10, 5)});

  // So for a weighting over log-SNR; a weighting over time does depend on it.
  const ul::sigmoid_weight sigmoid{.bias = -1, .loss_factor = 1.5};
  CHECK(diffusion_term(ul::cosine_schedule{}, 0.7, sigmoid) ==
        doctest::Approx(diffusion_term(ul::flow_schedule{}, 0.7, sigmoid)).epsilon(1e-11));
  CHECK(std::abs(diffusion_term(ul::cosine_schedule{}, 0.7, ul::snr_weight{}) -
                 diffusion_term(ul::flow_schedule{}, 0.7, ul::snr_weight{})) > 1e-3);
}

TEST_CASE("the x-, eps- and v-form of a loss are equal") {
  const ul::cosine_schedule schedule{.shift = -1};
  const auto check_forms = [&](const auto& w) {
    const double v = diffusion_term(schedule, 1.3, w, ul::v_prediction{});
    CHECK(diffusion_term(schedule, 1.3, w, ul::x_prediction{}) == doctest::Approx(v).epsilon(1e-12));
    CHECK(diffusion_term(schedule, 1.3, w, ul::eps_prediction{}) == doctest::Approx(v).epsilon(1e-12));
    CHECK(diffusion_term(schedule, 1.3, w, ul::flow_prediction{}) == doctest::Approx(v).epsilon(1e-12));
    CHECK(diffusion_term(schedule, 1.3, w, ul::edm_prediction{}) == doctest::Approx(v).epsilon(1e-12));
  };
  check_forms(ul::elbo_weight{});
  check_forms(ul::sigmoid_weight{.bias = 2, .loss_factor = 2.5});
  check_forms(ul::min_snr_weight{});
}

TEST_CASE("the sigmoid-weighted loss in closed form") {
  // 1/2 integral of sigmoid(b - l) s^2 e^l / (1 + s^2 e^l) dl with u = e^l: for s = 1, b = 0 the integrand is
  // 1/2 u / (1 + u)^2 dl = 1/2 du / (1 + u)^2, so the integral is (sigmoid(l0) - sigmoid(l1)) / 2.
  const double value = diffusion_term(ul::cosine_schedule{.logsnr_max = 6, .logsnr_min = -9}, 1, ul::sigmoid_weight{});
  CHECK(std::abs(value - (ul::sigmoid(6.0) - ul::sigmoid(-9.0)) / 2) < 1e-12);
}

TEST_CASE("the learned-variance term restores the exact KL") {
  // Encoder N(m, v) of one data point, prior on z_0 exact for z_clean ~ N(0, s^2), noise at log-SNR 5. The bound with
  // z_clean = m + sqrt(v) eps as the target, plus equation 5, must equal KL(q(z_0 | x) || p(z_0)), both Gaussian.
  const double logsnr_0 = 5, logsnr_1 = -40, a2 = ul::alpha_squared(logsnr_0), n2 = ul::sigma_squared(logsnr_0);
  for (const double s : {0.8, 1.5})
    for (const double m : {0.0, 0.9})
      for (const double v : {1e-4, 0.05, 0.6}) {
        CAPTURE(s);
        CAPTURE(m);
        CAPTURE(v);
        // E over z_clean of the error of the exact denoiser, in nats: e^l (z - gain x_t)^2 / 2.
        const double diffusion = ul::integrate(
            [&](double l) {
              const double g = gain(s, l), keep = 1 - g * ul::alpha(l);
              return 0.5 * std::exp(l) * (keep * keep * (m * m + v) + g * g * ul::sigma_squared(l));
            },
            logsnr_1, logsnr_0, 200);
        const double terminal = ul::terminal_kl(std::sqrt(m * m + v), logsnr_1);
        const double corrected = diffusion + terminal + ul::learned_variance_term(std::log(v), logsnr_0);
        const double posterior = a2 * v + n2, marginal = a2 * s * s + n2;
        const double exact = 0.5 * ((posterior + a2 * m * m) / marginal - 1 - std::log(posterior / marginal));
        CHECK(std::abs(corrected - exact) < 1e-10);
      }
}

TEST_CASE("the discrete bound tends to the continuous one from above") {
  const double s = 1.2, continuous = diffusion_term(ul::linear_schedule{}, s);
  const auto discrete = [&](int steps) {
    double sum = 0;
    for (int i = 0; i < steps; ++i) {
      const double t = -10 + 15.0 * i / steps, next = -10 + 15.0 * (i + 1) / steps;
      const double eps_error = std::exp(t) * s * s / (1 + s * s * std::exp(t));
      sum += ul::discrete_weight(t, next) * eps_error;
    }
    return sum;
  };
  const double coarse = discrete(500) - continuous, fine = discrete(1000) - continuous;
  CHECK(fine > 0);
  CHECK(coarse / fine == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("Variational Diffusion Models: published terms") {
  // vdm_endpoints_and_terms of the test vectors (google-research/vdm, dc27b98a554f): gamma = -lambda from -13.3 to 5.
  const ul::linear_schedule schedule{.logsnr_max = 13.3, .logsnr_min = -5};
  const auto check_value = [](double value, double published) {
    CHECK(value == doctest::Approx(published).epsilon(1e-9));
  };
  check_value(ul::sigma_squared(schedule.logsnr(0.0)), 1.6744904055114527e-06);
  check_value(ul::sigma_squared(schedule.logsnr(1.0)), 0.9933071490757153);
  check_value(ul::pixel_value(0), -0.99609375);
  check_value(ul::pixel_value(128), 0.00390625);
  check_value(ul::pixel_value(255), 0.99609375);
  check_value(ul::terminal_kl(ul::pixel_value(0), -5.0), 0.0033315813580362397);
  check_value(ul::terminal_kl(ul::pixel_value(128), -5.0), 1.129984481684776e-05);
  const auto weight = [&](int steps) { return steps * ul::discrete_weight(0.0, 18.3 / steps); };
  check_value(weight(1000), 9.234235552313349);
  check_value(weight(100), 10.040720404041531);
  check_value(-schedule.dlogsnr(0.5) / 2, 9.15);
  CHECK(ul::coefficients_at(schedule, ul::elbo_weight{}, ul::eps_prediction{}, 0.5).weight == doctest::Approx(9.15));
  const double deviation = ul::edm_sigma(13.3);
  check_value(ul::pixel_log_likelihood(128, ul::pixel_value(128), 13.3), -2.4323651685641564e-08);
  check_value(ul::pixel_log_likelihood(128, ul::pixel_value(128) + deviation, 13.3), -5.093307669457037e-06);
  // Probabilities of all values sum to 1.
  double sum = 0;
  for (int v = 0; v < 16; ++v) sum += std::exp(ul::pixel_log_likelihood(v, 0.13, 2, 16));
  CHECK(sum == doctest::Approx(1).epsilon(1e-14));
  CHECK_THROWS_WITH(ul::pixel_log_likelihood(256, 0, 5), "pixel_log_likelihood: value is 256, expected 0 to 255");
}

TEST_CASE("terminal KL: never negative, gradient, float") {
  for (double logsnr = -30; logsnr <= 5; logsnr += 0.5)
    for (const double z : {0.0, 0.3, 1.0, 4.0}) {
      CHECK(ul::terminal_kl(z, logsnr) >= 0);
      CHECK(ul::terminal_kl(float(z), float(logsnr)) >= 0);
      const double h = 1e-4;
      CHECK(ul::terminal_kl_derivative(z, logsnr) ==
            doctest::Approx((ul::terminal_kl(z + h, logsnr) - ul::terminal_kl(z - h, logsnr)) / (2 * h))
                .epsilon(1e-7)
                .scale(1));
    }
  CHECK(ul::terminal_kl(1.0, 0.0) == doctest::Approx(0.5 * std::log(2.0)));  // (1/2 + 1/2 - 1 + log 2) / 2
}
