#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include <ul/diffusion/cosine_schedule.hpp>
#include <ul/diffusion/edm_schedule.hpp>
#include <ul/diffusion/flow_schedule.hpp>
#include <ul/diffusion/learned_weight.hpp>
#include <ul/diffusion/linear_schedule.hpp>
#include <ul/diffusion/loss_coefficients.hpp>
#include <ul/diffusion/prediction.hpp>
#include <ul/diffusion/weighting.hpp>

#include "lanes.hpp"

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F>
void each_prediction(F f) {
  f("x", ul::x_prediction{});
  f("eps", ul::eps_prediction{});
  f("v", ul::v_prediction{});
  f("flow", ul::flow_prediction{});
  f("score", ul::score_prediction{});
  f("edm", ul::edm_prediction{.sigma_data = 0.5});
}

template <class F>
void each_weighting(F f) {
  f("elbo", ul::elbo_weight{});
  f("sigmoid", ul::sigmoid_weight{.bias = -1.5, .loss_factor = 1.3});
  f("snr", ul::snr_weight{});
  f("truncated snr", ul::truncated_snr_weight{});
  f("min snr", ul::min_snr_weight{});
  f("soft min snr", ul::soft_min_snr_weight{});
  f("edm", ul::edm_weight{});
  f("p2", ul::p2_weight{.offset = 1.5, .power = 0.5});
}

}  // namespace

TEST_CASE("coefficients at log-SNR 5 and 10") {
  // vp_coefficients_logsnr5 of the test vectors; log-SNR 10 from arXiv 2602.17270.
  CHECK(ul::alpha(5.0) == doctest::Approx(0.996647956439843).epsilon(1e-15));
  CHECK(ul::sigma(5.0) == doctest::Approx(0.08180984613287606).epsilon(1e-15));
  CHECK(ul::alpha_squared(5.0) == doctest::Approx(0.9933071490757153).epsilon(1e-15));
  CHECK(ul::sigma_squared(5.0) == doctest::Approx(0.0066928509242848554).epsilon(1e-15));
  CHECK(ul::alpha(10.0) == doctest::Approx(0.999977).epsilon(1e-6));
  CHECK(ul::sigma(10.0) == doctest::Approx(0.0067378).epsilon(1e-5));
}

TEST_CASE("log-SNR round trips over -30 to 30") {
  for (double logsnr = -30; logsnr <= 30; logsnr += 0.37) {
    CAPTURE(logsnr);
    const double a = ul::alpha(logsnr), s = ul::sigma(logsnr);
    CHECK(std::abs(a * a + s * s - 1) < 1e-15);
    CHECK(std::abs(ul::logsnr_from(a, s) - logsnr) < 1e-12);
    CHECK(std::abs(ul::logsnr_from_snr(ul::snr(logsnr)) - logsnr) < 1e-12);
    CHECK(std::abs(ul::logsnr_from_edm_sigma(ul::edm_sigma(logsnr)) - logsnr) < 1e-12);
    CHECK(ul::edm_sigma(logsnr) == doctest::Approx(s / a).epsilon(1e-14));
    CHECK(ul::flow_time(logsnr) == doctest::Approx(s / (a + s)).epsilon(1e-14));
    CHECK(std::exp(ul::log_alpha(logsnr)) == doctest::Approx(a).epsilon(1e-14));
    CHECK(std::exp(ul::log_sigma(logsnr)) == doctest::Approx(s).epsilon(1e-14));
    // A flow time near 1 and an alpha^2 near 1 cannot hold the level: their conditioning is e^|lambda/2| and
    // e^|lambda|.
    if (logsnr > -20) CHECK(std::abs(ul::logsnr_from_flow_time(ul::flow_time(logsnr)) - logsnr) < 1e-11);
    if (logsnr < 10) CHECK(std::abs(ul::logsnr_from_alpha_squared(ul::alpha_squared(logsnr)) - logsnr) < 1e-11);
  }
}

TEST_CASE("derivatives of alpha and sigma") {
  for (double logsnr = -12; logsnr <= 12; logsnr += 0.7) {
    const double h = 1e-4;
    CAPTURE(logsnr);
    CHECK(ul::dalpha(logsnr) ==
          doctest::Approx((ul::alpha(logsnr + h) - ul::alpha(logsnr - h)) / (2 * h)).epsilon(1e-6).scale(1e-3));
    CHECK(ul::dsigma(logsnr) ==
          doctest::Approx((ul::sigma(logsnr + h) - ul::sigma(logsnr - h)) / (2 * h)).epsilon(1e-6).scale(1e-3));
  }
}

TEST_CASE("the ends are reached without NaN") {
  CHECK(ul::alpha(infinity) == 1);
  CHECK(ul::sigma(infinity) == 0);
  CHECK(ul::alpha(-infinity) == 0);
  CHECK(ul::sigma(-infinity) == 1);
  CHECK(ul::flow_time(infinity) == 0);
  CHECK(ul::flow_time(-infinity) == 1);
  for (float logsnr = -20; logsnr <= 20; logsnr += 0.0625f) {
    CAPTURE(logsnr);
    for (const float x : {ul::alpha(logsnr), ul::sigma(logsnr), ul::alpha_squared(logsnr), ul::sigma_squared(logsnr),
                          ul::log_alpha(logsnr), ul::log_sigma(logsnr), ul::dalpha(logsnr), ul::dsigma(logsnr),
                          ul::snr(logsnr), ul::edm_sigma(logsnr), ul::flow_time(logsnr)})
      CHECK(std::isfinite(x));
    CHECK(ul::alpha(logsnr) == doctest::Approx(ul::alpha(double(logsnr))).epsilon(1e-6));
    CHECK(ul::sigma(logsnr) == doctest::Approx(ul::sigma(double(logsnr))).epsilon(1e-6));
    each_prediction([logsnr](const std::string& name, const auto& p) {
      INFO(name);
      for (const float c : {p.target(logsnr).x, p.target(logsnr).eps, p.x(logsnr).state, p.x(logsnr).output,
                            p.eps(logsnr).state, p.eps(logsnr).output, p.eps_error(logsnr), p.input(logsnr)})
        CHECK(std::isfinite(c));
      const auto output = [&p](auto l) { return p.x(l).output; };
      CHECK(lanes::through(output, logsnr) == doctest::Approx(p.x(logsnr).output).epsilon(1e-6));
      CHECK(p.x(logsnr).output == doctest::Approx(p.x(double(logsnr)).output).epsilon(3e-6));
    });
    each_weighting([logsnr](const std::string& name, const auto& w) {
      INFO(name);
      CHECK(std::isfinite(w(logsnr)));
      CHECK(w(logsnr) >= 0);
      CHECK(lanes::through(w, logsnr) == doctest::Approx(w(logsnr)).epsilon(1e-6));
      CHECK(w(logsnr) == doctest::Approx(w(double(logsnr))).epsilon(2e-6));
    });
  }
}

TEST_CASE("predictions recover x and eps") {
  const double x = 0.7, eps = -1.3;
  each_prediction([&](const std::string& name, const auto& p) {
    INFO(name);
    static_assert(ul::prediction<std::remove_cvref_t<decltype(p)>>);
    for (double logsnr = -30; logsnr <= 30; logsnr += 0.37) {
      CAPTURE(logsnr);
      const double state = ul::alpha(logsnr) * x + ul::sigma(logsnr) * eps;
      const double f = p.target(logsnr).x * x + p.target(logsnr).eps * eps;
      const double lost = std::exp(std::abs(logsnr) / 2);  // the conditioning of x from eps and eps from x
      CHECK(std::abs(p.x(logsnr).state * state + p.x(logsnr).output * f - x) < 1e-12 * lost);
      CHECK(std::abs(p.eps(logsnr).state * state + p.eps(logsnr).output * f - eps) < 1e-12 * lost);
    }
  });
  // v and the flow's velocity carry both without loss.
  const auto check_exact = [&](const auto& p) {
    for (double logsnr = -30; logsnr <= 30; logsnr += 0.37) {
      const double state = ul::alpha(logsnr) * x + ul::sigma(logsnr) * eps;
      const double f = p.target(logsnr).x * x + p.target(logsnr).eps * eps;
      CHECK(std::abs(p.x(logsnr).state * state + p.x(logsnr).output * f - x) < 1e-12);
      CHECK(std::abs(p.eps(logsnr).state * state + p.eps(logsnr).output * f - eps) < 1e-12);
    }
  };
  check_exact(ul::v_prediction{});
  check_exact(ul::flow_prediction{});
}

TEST_CASE("zero terminal SNR") {
  const double x = 0.7, eps = -1.3;  // the state is eps
  const auto check_x = [&](const auto& p) {
    const double f = p.target(-infinity).x * x + p.target(-infinity).eps * eps;
    CHECK(p.x(-infinity).state * eps + p.x(-infinity).output * f == doctest::Approx(x).epsilon(1e-15));
  };
  check_x(ul::x_prediction{});
  check_x(ul::v_prediction{});
  check_x(ul::flow_prediction{});
  check_x(ul::edm_prediction{});
  CHECK_THROWS_WITH(ul::eps_prediction{}.x(-infinity), "eps_prediction: alpha is 0, so x does not follow from eps");
  CHECK_THROWS_WITH(ul::score_prediction{}.x(-infinity), "score_prediction: alpha is 0, so x does not follow from it");
  CHECK_THROWS_WITH(ul::x_prediction{}.eps(infinity), "x_prediction: sigma is 0, so eps does not follow from x");
  CHECK_THROWS_WITH(ul::score_prediction{}.target(infinity), "score_prediction: sigma is 0, the score is infinite");
  CHECK_THROWS_WITH(ul::edm_prediction{.sigma_data = 0}.input(0.0),
                    "edm_prediction: sigma_data is 0, expected a positive one");
}

TEST_CASE("eps_error is the ratio of the squared errors") {
  each_prediction([](const std::string& name, const auto& p) {
    INFO(name);
    for (double logsnr = -20; logsnr <= 20; logsnr += 0.7) {
      CAPTURE(logsnr);
      // An error of 1 in F at a fixed state is an error of eps.output in eps and of x.output in x.
      const double in_eps = p.eps(logsnr).output, in_x = p.x(logsnr).output;
      CHECK(p.eps_error(logsnr) == doctest::Approx(in_eps * in_eps).epsilon(1e-13));
      CHECK(p.eps_error(logsnr) == doctest::Approx(std::exp(logsnr) * in_x * in_x).epsilon(1e-13));
    }
  });
}

TEST_CASE("EDM preconditioning is the published one") {
  // c_skip, c_out, c_in of arXiv 2206.00364, table 1, for the state x + sigma n.
  const double d = 0.5;
  const ul::edm_prediction p{.sigma_data = d};
  for (const double s : {0.002, 0.3, 1.0, 80.0}) {
    const double logsnr = ul::logsnr_from_edm_sigma(s), a = ul::alpha(logsnr);
    CHECK(p.x(logsnr).state == doctest::Approx(d * d / (s * s + d * d) / a).epsilon(1e-13));
    CHECK(p.x(logsnr).output == doctest::Approx(s * d / std::sqrt(s * s + d * d)).epsilon(1e-13));
    CHECK(p.input(logsnr) * a == doctest::Approx(1 / std::sqrt(s * s + d * d)).epsilon(1e-13));
    CHECK(ul::edm_weight{.sigma_data = d}(logsnr)*p.eps_error(logsnr) == doctest::Approx(1).epsilon(1e-13));
  }
  const ul::edm_prediction unit{.sigma_data = 1};
  CHECK(unit.target(1.3).x == doctest::Approx(-ul::v_prediction{}.target(1.3).x).epsilon(1e-14));
  CHECK(unit.target(1.3).eps == doctest::Approx(-ul::v_prediction{}.target(1.3).eps).epsilon(1e-14));
}

TEST_CASE("the sigmoid weight, both forms") {
  // sigmoid_weight_two_forms of the test vectors.
  const ul::sigmoid_weight w{.bias = -3};
  CHECK(w(2.0) * ul::x_prediction{}.eps_error(2.0) == doctest::Approx(0.049453850941320654).epsilon(1e-14));
  for (double logsnr = -20; logsnr <= 20; logsnr += 0.9) {
    CHECK(w(logsnr) * ul::x_prediction{}.eps_error(logsnr) ==
          doctest::Approx(std::exp(-3.0) * ul::sigmoid(logsnr + 3)).epsilon(1e-14));
    CHECK(w(logsnr) * ul::v_prediction{}.eps_error(logsnr) ==
          doctest::Approx(ul::sigmoid(-3 - logsnr) * ul::sigmoid(logsnr)).epsilon(1e-14));
  }
  // Information is cheaper in the latent below bias + log(loss_factor - 1).
  const ul::sigmoid_weight decoder{.bias = 0.4, .loss_factor = 1.7};
  CHECK(decoder(0.4 + std::log(0.7)) == doctest::Approx(1).epsilon(1e-15));
}

TEST_CASE("min-SNR for each prediction") {
  // min_snr_gamma5 of the test vectors: SNR 0.1, 1, 5, 20.
  const double snr[] = {0.1, 1, 5, 20}, x[] = {0.1, 1, 5, 5}, eps[] = {1, 1, 1, 0.25};
  const double v[] = {0.09090909090909091, 0.5, 0.8333333333333334, 0.23809523809523808};
  const ul::min_snr_weight w{.clip = 5};
  for (int i = 0; i < 4; ++i) {
    const double logsnr = ul::logsnr_from_snr(snr[i]);
    CHECK(w(logsnr) * ul::x_prediction{}.eps_error(logsnr) == doctest::Approx(x[i]).epsilon(1e-14));
    CHECK(w(logsnr) * ul::eps_prediction{}.eps_error(logsnr) == doctest::Approx(eps[i]).epsilon(1e-14));
    CHECK(w(logsnr) * ul::v_prediction{}.eps_error(logsnr) == doctest::Approx(v[i]).epsilon(1e-14));
  }
  const ul::soft_min_snr_weight soft{.clip = 5};
  for (const double s : snr) CHECK(soft(std::log(s)) * s == doctest::Approx(s * 5 / (s + 5)).epsilon(1e-14));
  for (const double s : snr)
    CHECK(ul::p2_weight{.offset = 1.5, .power = 0.5}(std::log(s)) ==
          doctest::Approx(1 / std::sqrt(1.5 + s)).epsilon(1e-14));
  for (const double s : snr)
    CHECK(ul::truncated_snr_weight{}(std::log(s)) * s == doctest::Approx(std::fmax(s, 1)).epsilon(1e-14));
}

TEST_CASE("which weightings are monotone") {
  const ul::cosine_schedule cosine;
  CHECK(ul::is_monotone(ul::elbo_weight{}, cosine));
  CHECK(ul::is_monotone(ul::sigmoid_weight{}, cosine));
  // Kingma and Gao, arXiv 2303.00848, table 1: flow matching with v-loss is monotone, cosine with eps-loss is not, EDM
  // is not.
  CHECK(ul::is_monotone([](double l) { return std::exp(-l / 2); }, ul::flow_schedule{}));
  CHECK_FALSE(ul::is_monotone(ul::snr_weight{}, cosine));
  CHECK_FALSE(ul::is_monotone(ul::edm_weight{}, ul::edm_schedule{}));
  CHECK_FALSE(ul::is_monotone([](double l) { return 1 + std::exp(-l * l); }, cosine));
}

TEST_CASE("loss coefficients: every prediction gives one loss") {
  const ul::cosine_schedule schedule{.logsnr_max = 10, .logsnr_min = -10, .shift = -1.4};
  const double x = 0.4, eps = -0.9, x_guess = 0.6;
  each_weighting([&](const std::string& weighting, const auto& w) {
    INFO(weighting);
    for (double t = 0.01; t < 1; t += 0.07) {
      CAPTURE(t);
      double first = -1;
      each_prediction([&](const std::string& name, const auto& p) {
        INFO(name);
        const auto c = ul::coefficients_at(schedule, w, p, t);
        // The network that guesses x_guess, in the prediction's own terms.
        const double state = c.alpha * x + c.sigma * eps, eps_guess = (state - c.alpha * x_guess) / c.sigma;
        const double error = c.target.x * (x - x_guess) + c.target.eps * (eps - eps_guess);
        const double loss = c.weight * error * error;
        if (first < 0) first = loss;
        CHECK(loss == doctest::Approx(first).epsilon(1e-11));
      });
      const double measure = ul::over_time<std::remove_cvref_t<decltype(w)>> ? 1 : -schedule.dlogsnr(t) / 2;
      const double logsnr = schedule.logsnr(t);
      CHECK(first == doctest::Approx(measure * w(logsnr) * std::exp(logsnr) * 0.04).epsilon(1e-11));
    }
  });
  const auto full = ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, 0.3);
  CHECK(ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, 0.3, 4).weight == full.weight / 4);
  CHECK_THROWS_WITH(ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, 1.25),
                    "coefficients_at: t is 1.25, expected 0 <= t <= 1");
  CHECK_THROWS_WITH(ul::coefficients_at(schedule, ul::elbo_weight{}, ul::v_prediction{}, 0.25, 0),
                    "coefficients_at: the density is 0 at t = 0.25, expected a positive one");
}

TEST_CASE("the learned weight") {
  ul::learned_weight w{.logsnr_min = -4, .logsnr_max = 4, .knots = {0.5, -0.3, 0.2, 1.0, -0.7}};
  CHECK(w.log_variance(-4) == 0.5);
  CHECK(w.log_variance(-9) == 0.5);
  CHECK(w.log_variance(9) == doctest::Approx(-0.7));
  CHECK(w.log_variance(1) == doctest::Approx(0.6));
  for (const double logsnr : {-9.0, -3.3, 0.1, 2.0, 3.99, 7.0}) {
    std::vector<double> gradient(5, 0.0);
    w.add_gradient(logsnr, 1.7, 2, gradient);
    for (std::size_t i = 0; i < 5; ++i) {
      ul::learned_weight up = w, down = w;
      up.knots[i] += 1e-6;
      down.knots[i] -= 1e-6;
      CHECK(gradient[i] ==
            doctest::Approx(2 * (up.loss(logsnr, 1.7) - down.loss(logsnr, 1.7)) / 2e-6).epsilon(1e-7).scale(1));
    }
  }
  // At the optimum, the log of the error, the gradient vanishes.
  w.knots.assign(5, std::log(1.7));
  std::vector<double> gradient(5, 0.0);
  w.add_gradient(0.3, 1.7, 1, gradient);
  for (const double g : gradient) CHECK(std::abs(g) < 1e-15);
  std::vector<double> wrong(3);
  CHECK_THROWS_WITH(w.add_gradient(0, 1, 1, wrong), "learned_weight: the gradient has 3 elements, the weight 5 knots");
  CHECK_THROWS_WITH(ul::learned_weight{.knots = {1}}(0), "learned_weight: 1 knots, expected at least 2");
}
