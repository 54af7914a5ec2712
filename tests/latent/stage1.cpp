#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

#include <ul/backend/reference.hpp>
#include <ul/diffusion/quadrature.hpp>
#include <ul/grad/check.hpp>
#include <ul/latent/stage1.hpp>

namespace {

using namespace ul;

latent_config tiny() {
  return {.image = {8, 8, 2},
          .channels = 2,
          .encoder = {.patch = 2, .channels = {4, 4}, .blocks = 1, .last_blocks = 1},
          .prior = {.channels = 4, .blocks = 1, .heads = 1},
          .decoder = {.patch = 2, .channels = {4}, .blocks = 1, .middle_channels = 4, .middle_blocks = 1, .heads = 1,
                      .dropout = 0}};
}

template <class T>
struct model {
  reference device;
  parameters<reference, T> store{device};
  stage1_networks<reference, T> nets;

  explicit model(const latent_config& c = tiny()) : nets(store.root(), c) { store.allocate(key(3)); }

  // No zero of the start may hide a gradient.
  void shake() {
    std::uint64_t i = 0;
    for (const parameter_entry& e : store.entries())
      initialise(normal_init(0.3), key(17).fold_in(i++), store.part(store.value(), e).data(), e.shape.size());
  }
  double gradient_of(const std::string& network) const {
    double size = 0;
    for (const parameter_entry& e : store.entries())
      if (e.path.starts_with(network + "/"))
        for (const T g : to_host(store.part(store.gradient(), e))) size += std::abs(static_cast<double>(g));
    return size;
  }
};

const batch_draw draw{key(5), 0, 3};

}  // namespace

TEST_CASE("the gradient of the stage-1 loss is right in every parameter") {
  model<double> m;
  m.shake();
  latent_scale scale(0.4);
  const auto x = normal<double>(m.device, {3, 8, 8, 2}, key(1));
  const double worst = gradient_check{.absolute = 1e-6, .relative = 1e-5}.of_parameters(
      m.store,
      [&](const var<reference, double>& v) { return stage1_loss(m.nets, v, scale, draw, mode::evaluate).total(64); }, x);
  CHECK(worst < 1e-5);
}

TEST_CASE("each term trains the networks it should") {
  latent_config c = tiny();
  const auto sizes = [&](auto term) {
    model<double> m(c);
    m.shake();
    latent_scale scale(0.4);
    m.store.zero_gradient();
    tape<reference> t;
    const auto x = t.constant(normal<double>(m.device, {3, 8, 8, 2}, key(1)));
    t.backward(sum(term(stage1_loss(m.nets, x, scale, draw))));
    return std::array{m.gradient_of("encoder") > 0, m.gradient_of("prior") > 0, m.gradient_of("decoder") > 0};
  };
  const auto diffusion = [](const auto& l) { return l.diffusion; };
  const auto terminal = [](const auto& l) { return l.terminal; };
  const auto decoder = [](const auto& l) { return l.decoder; };
  CHECK(sizes(diffusion) == std::array{true, true, false});
  CHECK(sizes(terminal) == std::array{true, false, false});
  CHECK(sizes(decoder) == std::array{true, false, true});

  c.prior.stop_gradient = true;
  c.prior.normal_kl = 0.1;
  CHECK(sizes(diffusion) == std::array{false, true, false});
  CHECK(sizes(terminal) == std::array{false, false, false});
  CHECK(sizes(decoder) == std::array{true, false, true});
  CHECK(sizes([](const auto& l) { return l.normal; }) == std::array{true, false, false});
}

// A fresh prior predicts v^ = 0, which is the best there is for Gaussian latents of unit variance. Then the bound is
//   n/2 (softplus(lambda'_max) - softplus(lambda'_min)) + KL, all of it closed form, and in bits almost
//   n/2 log2(1 + s^2 e^lambda_max).
TEST_CASE("a fresh prior costs what Gaussian latents of that rms cost") {
  const latent_config c = tiny();
  const double s = 0.7, n = static_cast<double>(c.latent().size());
  const latent_scale scale(s);
  const cosine_schedule schedule = prior_schedule(c, scale);

  SUBCASE("the loss code, integrated over time, for latents of norm n exactly") {
    reference device;
    auto u = to_host(normal<double>(device, {1, 2, 2, 2}, key(2))), eps = to_host(normal<double>(device, {1, 2, 2, 2}, key(4)));
    // Orthogonal, of squared norm n: then ||v||^2 = n at every level.
    double uu = 0, ue = 0, ee = 0;
    for (std::size_t i = 0; i < u.size(); ++i) uu += u[i] * u[i];
    for (double& v : u) v *= std::sqrt(n / uu);
    for (std::size_t i = 0; i < u.size(); ++i) ue += u[i] * eps[i];
    for (std::size_t i = 0; i < u.size(); ++i) eps[i] -= ue / n * u[i], ee += eps[i] * eps[i];
    for (double& v : eps) v *= std::sqrt(n / ee);
    const auto value = from_host<double>(device, {1, 2, 2, 2}, u), noise = from_host<double>(device, {1, 2, 2, 2}, eps);
    const auto loss_at = [&](double t) {
      const loss_coefficients at[] = {coefficients_at(schedule, elbo_weight{}, v_prediction{}, t)};
      const auto loss = denoising_loss(var<reference, double>(value), noise, std::span<const loss_coefficients>(at),
                                       [&](const auto& u_t, const auto&) { return zeros<double>(device, u_t.shape()); });
      return to_scalar(reshape(loss.value(), {}));
    };
    const double exact = n / 2 * (softplus(scale.shifted(5)) - softplus(scale.shifted(-10)));
    CHECK(integrate(loss_at, 0, 1, 64) == doctest::Approx(exact).epsilon(1e-10));
    CHECK(bits(exact + n * terminal_kl(s, -10.0)) == doctest::Approx(n / 2 * std::log2(1 + s * s * std::exp(5))).epsilon(1e-4));
  }

  SUBCASE("the stage-1 loss of many draws") {
    model<double> m;
    double sum = 0, squares = 0;
    constexpr int draws = 200;
    for (int i = 0; i < draws; ++i) {
      const auto x = normal<double>(m.device, {4, 8, 8, 2}, key(30).fold_in(static_cast<std::uint64_t>(i)));
      const auto z = m.nets.encoder(var<reference, double>(x)).value();
      const double rms = std::sqrt(to_scalar(mean(square(z))));
      latent_scale own(rms);
      const batch_draw d{key(31).fold_in(static_cast<std::uint64_t>(i)), 0, 4};
      const double nats = stage1_loss(m.nets, var<reference, double>(x), own, d, mode::evaluate).latent_nats();
      const double expected = n / 2 * (softplus(own.shifted(5)) - softplus(own.shifted(-10))) +
                              n * terminal_kl(rms, -10.0);
      sum += nats - expected, squares += (nats - expected) * (nats - expected);
    }
    const double error = std::sqrt(squares / draws / draws);
    CHECK(std::fabs(sum / draws) < 5 * error);
    CHECK(error < 0.02 * n * 3);
  }
}

TEST_CASE("the latent's own units change no term of the bound") {
  // e^lambda ||z - z^||^2 = sigmoid(lambda') ||v' - v^'||^2 for z = s u.
  for (const double s : {0.05, 0.3, 2.0})
    for (const double logsnr : {-10.0, -1.0, 2.5, 5.0}) {
      const latent_scale scale(s);
      const double shifted = scale.shifted(logsnr), u = 0.8, eps = -1.3, guess = 0.4;  // guess: some v^'
      const double a = alpha(shifted), o = sigma(shifted), v = a * eps - o * u;
      const double u_t = a * u + o * eps, u_hat = a * u_t - o * guess;
      CHECK(std::exp(logsnr) * s * s * (u - u_hat) * (u - u_hat) ==
            doctest::Approx(sigmoid(shifted) * (v - guess) * (v - guess)).epsilon(1e-11));
      const double z_t = alpha(logsnr) * s * u + sigma(logsnr) * eps;
      CHECK(z_t * scale.normaliser(logsnr) == doctest::Approx(u_t).epsilon(1e-12));
    }
}

TEST_CASE("the parts of a batch meet the noise of the whole") {
  model<double> m;
  m.shake();
  latent_scale scale(0.4);
  const auto x = normal<double>(m.device, {3, 8, 8, 2}, key(1));
  const auto whole = to_host(stage1_loss(m.nets, var<reference, double>(x), scale, draw, mode::evaluate).decoder.value());
  for (extent i = 0; i < 3; ++i) {
    const batch_draw part{draw.noise, i, 3};
    const auto loss = stage1_loss(m.nets, var<reference, double>(x.rows(i, 1)), scale, part, mode::evaluate);
    CHECK(to_host(loss.decoder.value())[0] == doctest::Approx(whole[static_cast<std::size_t>(i)]).epsilon(1e-12));
  }
}

TEST_CASE("pictures that do not divide are padded inside and cropped again") {
  latent_config c = tiny();
  c.image = {7, 5, 2};
  model<double> m(c);
  m.shake();
  latent_scale scale(0.4);
  const auto x = normal<double>(m.device, {2, 7, 5, 2}, key(1));
  CHECK(m.nets.encoder(var<reference, double>(x)).shape() == extents{2, 2, 2, 2});
  const auto loss = stage1_loss(m.nets, var<reference, double>(x), scale, {key(5), 0, 2}, mode::evaluate);
  CHECK(std::isfinite(to_scalar(loss.total(1).value())));
}
