#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include <ul/grad/check.hpp>
#include <ul/latent/latent_bits.hpp>

#include "support.hpp"

namespace {

using namespace latent_test;

const std::vector<extent> labels{0, 2, 1};
const std::vector<std::int32_t> device_labels{0, 2, 1};
const std::vector<std::uint64_t> seeds{4, 5, 6};

}  // namespace

TEST_CASE("the gradient of the stage-2 loss is right in every parameter of the base model") {
  shaken_model<double> s;
  const batch_draw draw{key(5), 0, 3};
  const auto z = s.latents(3);
  const double worst = gradient_check{.absolute = 1e-6, .relative = 1e-5}.of_parameters(
      s.m.stage2->weights,
      [&](const var<reference, double>& v) {
        return sum(stage2_loss(s.m.stage2->network, s.m.config(), s.m.stage2->scale, v, std::span<const extent>(labels),
                               draw, mode::evaluate));
      },
      z);
  CHECK(worst < 1e-5);
}

TEST_CASE("stage 2 trains the base model alone, and on its labels") {
  shaken_model<double> s;
  s.m.stage1.weights.zero_gradient();
  s.m.stage2->weights.zero_gradient();
  tape<reference> t;
  const auto z = t.constant(s.latents(3));
  t.backward(sum(stage2_loss(s.m.stage2->network, s.m.config(), s.m.stage2->scale, z, std::span<const extent>(labels),
                             {key(5), 0, 3}, mode::evaluate)));
  for (const double g : to_host(s.m.stage1.weights.gradient())) CHECK(g == 0);
  for (const parameter_entry& e : s.m.stage2->weights.entries()) {
    double size = 0;
    for (const double g : to_host(s.m.stage2->weights.part(s.m.stage2->weights.gradient(), e))) size += std::fabs(g);
    INFO(e.path);
    CHECK(size > 0);
  }
}

TEST_CASE("labels are left out as often as the config says, and by the sample's own key") {
  reference device;
  latent_config c = tiny();
  c.base.label_dropout = 0.25;
  const std::vector<extent> many(4000, 1);
  const auto told = to_host(told_labels(device, c, many, {key(9), 0, 4000}, mode::train));
  const auto left_out = std::count(told.begin(), told.end(), 3);
  CHECK(std::abs(static_cast<double>(left_out) - 1000) < 5 * std::sqrt(4000 * 0.25 * 0.75));
  CHECK(std::count(told.begin(), told.end(), 1) == 4000 - left_out);
  const auto part = to_host(told_labels(device, c, std::span(many).subspan(0, 10), {key(9), 7, 4000}, mode::train));
  CHECK(std::equal(part.begin(), part.end(), told.begin() + 7));
  const auto kept = to_host(told_labels(device, c, many, {key(9), 0, 4000}, mode::evaluate));
  CHECK(std::count(kept.begin(), kept.end(), 1) == 4000);
}

TEST_CASE("labels that do not fit are refused") {
  shaken_model<double> s;
  const auto z = var<reference, double>(s.latents(3));
  const auto refusal = [&](const std::vector<extent>& given) {
    try {
      stage2_loss(s.m.stage2->network, s.m.config(), s.m.stage2->scale, z, std::span<const extent>(given),
                  {key(5), 0, 3}, mode::train);
    } catch (const error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refusal({0, 1}) == "stage2: 2 labels for 3 samples");
  CHECK(refusal({0, 4, 1}) == "stage2: label 4 of sample 1, expected 0 to 3, the last for no class");
  CHECK(refusal({0, -1, 1}) == "stage2: label -1 of sample 1, expected 0 to 3, the last for no class");
}

// The bound of latents under a network that predicts v^ = 0 is that of Gaussian latents (stage1.cpp has the closed
// form): E ||v||^2 = sigma^2 ||u||^2 + alpha^2 n at every level.
TEST_CASE("bits of latents are the bound's, whoever bounds them") {
  latent_config c = tiny();
  shaken_model<double> s(c);
  latent_model<reference, double> fresh(s.device, c);  // its networks start as v^ = 0
  fresh.stage1.weights.allocate(key(3));
  fresh.add_base().weights.allocate(key(4));
  fresh.stage1.scale = latent_scale(0.4);
  fresh.stage2->scale = latent_scale(0.7);
  const auto z = s.latents(3);
  const std::vector<key> keys = sample_keys(seeds);
  const extent n = c.latent().size();
  const auto host = to_host(z);
  for (const latent_source source : {latent_source::prior, latent_source::base}) {
    const latent_scale& scale = source == latent_source::prior ? fresh.stage1.scale : fresh.stage2->scale;
    const extent draws = 4000;
    const auto nats = latent_nats(fresh, z, std::span<const key>(keys), source, std::span(device_labels), draws);
    for (std::size_t i = 0; i < 3; ++i) {
      double squares = 0;
      for (extent k = 0; k < n; ++k)
        squares += std::pow(host[i * static_cast<std::size_t>(n) + static_cast<std::size_t>(k)], 2);
      // 1/2 integral over lambda' of sigmoid(lambda') (sigma^2 ||u||^2 + alpha^2 n).
      const double u2 = squares / scale.rms() / scale.rms(), high = scale.shifted(5), low = scale.shifted(-10);
      const double slope = sigmoid(high) - sigmoid(low), plain = softplus(high) - softplus(low);
      const double exact = 0.5 * (u2 * slope + static_cast<double>(n) * (plain - slope)) +
                           0.5 * alpha_squared(-10.0) * squares + static_cast<double>(n) * terminal_kl(0.0, -10.0);
      CHECK(nats[i] == doctest::Approx(exact).epsilon(0.02));
    }
  }
}

TEST_CASE("bits of a sample do not depend on its batch") {
  shaken_model<double> s;
  const auto z = s.latents(3);
  const std::vector<key> keys = sample_keys(seeds);
  const auto all = latent_nats(s.m, z, std::span<const key>(keys), latent_source::base, std::span(device_labels), 3);
  const auto one = latent_nats(s.m, z.rows(1, 1), std::span<const key>(keys).subspan(1, 1), latent_source::base,
                               std::span(device_labels).subspan(1, 1), 3);
  CHECK(one[0] == all[1]);
}

TEST_CASE("bits of a sample without a label are those of no class, and of an unknown class there are none") {
  shaken_model<double> s;
  const auto z = s.latents(1);
  const std::vector<key> keys = sample_keys(std::span(seeds).first(1));
  const auto bits = [&](std::int32_t label) {
    const std::vector<std::int32_t> told{label};
    return latent_nats(s.m, z, std::span<const key>(keys), latent_source::base, std::span(told), 2)[0];
  };
  CHECK(std::isfinite(bits(-1)));
  CHECK(bits(-1) != bits(0));
  CHECK_THROWS_WITH_AS(bits(3), "latent_nats: label is 3, the model knows 3 classes", error);
  CHECK_THROWS_WITH_AS(bits(-2), "latent_nats: label is -2, the model knows 3 classes", error);
}
