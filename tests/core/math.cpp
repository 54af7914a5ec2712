// The scalar vocabulary and the activations, against their textbook formulas in long double.
#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>

#include <ul/core/activation.hpp>

namespace {

using real = long double;

// How far `found` is from `truth`, in units of T's epsilon of the truth.
template <class T>
real distance(T found, real truth) {
  const real unit = std::numeric_limits<T>::epsilon() * std::fabs(truth) + std::numeric_limits<T>::min();
  return std::fabs(static_cast<real>(found) - truth) / unit;
}

struct function {
  const char* name;
  float (*single)(float);
  double (*wide)(double);
  real (*truth)(real);
  double (*derivative)(double);  // null where none is offered
  bool relative;                 // else absolute in units of max(1, |x|)
};

real true_sigmoid(real x) { return 1 / (1 + std::exp(-x)); }
real true_softplus(real x) { return x > 100 ? x : std::log1p(std::exp(x)); }
real true_silu(real x) { return x * true_sigmoid(x); }
real true_log_sigmoid(real x) { return -true_softplus(-x); }
real true_gelu_tanh(real x) {
  return x * true_sigmoid(2 * std::sqrt(2 / 3.14159265358979323846264338327950288L) * (x + 0.044715L * x * x * x));
}
real true_gelu_erf(real x) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; }

constexpr function functions[] = {
    {"sigmoid", ul::sigmoid, ul::sigmoid, true_sigmoid, ul::sigmoid_derivative, true},
    {"softplus", ul::softplus, ul::softplus, true_softplus, ul::sigmoid, true},
    {"log_sigmoid", ul::log_sigmoid, ul::log_sigmoid, true_log_sigmoid, nullptr, true},
    {"silu", ul::silu, ul::silu, true_silu, ul::silu_derivative, true},
    {"gelu_tanh", ul::gelu_tanh, ul::gelu_tanh, true_gelu_tanh, ul::gelu_tanh_derivative, false},
    {"gelu_erf", ul::gelu_erf, ul::gelu_erf, true_gelu_erf, ul::gelu_erf_derivative, false},
};

}  // namespace

TEST_CASE("activations are accurate in the middle and in both tails") {
  for (const function& f : functions) {
    INFO("function " << std::string(f.name));
    real worst_single = 0, worst_wide = 0;
    for (int i = -2000; i <= 2000; ++i) {
      const double x = i / 25.0 + 1.0 / 1024;  // [-80, 80]: every true value is a normal float
      const auto single = static_cast<float>(x);
      if (f.relative) {
        worst_single = std::fmax(worst_single, distance(f.single(single), f.truth(single)));
        worst_wide = std::fmax(worst_wide, distance(f.wide(x), f.truth(x)));
      } else {
        const real scale = std::fmax(1.0L, std::fabs(x));
        worst_single = std::fmax(worst_single, std::fabs(f.single(single) - f.truth(single)) / scale / 0x1p-23L);
        worst_wide = std::fmax(worst_wide, std::fabs(f.wide(x) - f.truth(x)) / scale / 0x1p-52L);
      }
    }
    CHECK(static_cast<double>(worst_single) < 4);
    CHECK(static_cast<double>(worst_wide) < 4);
  }
}

TEST_CASE("activations neither overflow nor lose their limits") {
  for (const float x : {90.0f, 1e3f, 1e4f, 1e12f}) {
    CHECK(ul::sigmoid(x) == 1);
    CHECK(ul::sigmoid(-x) < 1e-38f);
    CHECK(ul::softplus(x) == x);
    CHECK(ul::softplus(-x) < 1e-38f);
    CHECK(ul::log_sigmoid(-x) == -x);
    CHECK(ul::log_sigmoid(x) > -1e-38f);
    CHECK(ul::silu(x) == x);
    CHECK(std::fabs(ul::silu(-x)) < 1e-36f);
    CHECK(ul::gelu_tanh(x) == x);
    CHECK(ul::gelu_tanh(-x) == 0);
    CHECK(ul::gelu_erf(x) == x);
    CHECK(ul::gelu_erf(-x) == 0);
    CHECK(ul::silu_derivative(x) == 1);
    CHECK(std::fabs(ul::silu_derivative(-x)) < 1e-36f);
    CHECK(ul::gelu_tanh_derivative(x) == 1);
    CHECK(ul::gelu_tanh_derivative(-x) == 0);
    CHECK(ul::gelu_erf_derivative(x) == 1);
    CHECK(ul::gelu_erf_derivative(-x) == 0);
    CHECK(ul::sigmoid_derivative(x) == ul::sigmoid_derivative(-x));
  }
}

TEST_CASE("derivatives agree with central differences") {
  for (const function& f : functions) {
    if (!f.derivative) continue;
    INFO("function " << std::string(f.name));
    for (int i = -100; i <= 100; ++i) {
      const double x = i / 10.0, h = 1e-3;
      const auto slope = (f.truth(x - 2 * h) - 8 * f.truth(x - h) + 8 * f.truth(x + h) - f.truth(x + 2 * h)) / (12 * h);
      CHECK(f.derivative(x) == doctest::Approx(static_cast<double>(slope)).epsilon(1e-10));
    }
  }
}

TEST_CASE("identities") {
  for (int i = -300; i <= 300; ++i) {
    const double x = i / 10.0;
    const auto both = ul::sigmoid_both(x);
    CHECK(both.value + both.complement == doctest::Approx(1).epsilon(1e-15));
    CHECK(static_cast<double>(distance(both.complement, true_sigmoid(-x))) < 4);
    CHECK(both.value == doctest::Approx(ul::sigmoid(x)).epsilon(1e-15));
    CHECK(ul::softplus(x) - ul::softplus(-x) == doctest::Approx(x).epsilon(1e-14));
    CHECK(ul::log_sigmoid(x) == -ul::softplus(-x));
  }
}

TEST_CASE("scalar vocabulary") {
  const double a = 1 + 0x1p-30;
  CHECK(ul::fma(a, a, -(1 + 0x1p-29)) == 0x1p-60);  // a product rounded first would give 0
  CHECK(ul::fma(1 + 0x1p-12f, 1 + 0x1p-12f, -(1 + 0x1p-11f)) == 0x1p-24f);
  CHECK(ul::muladd(2.0f, 3.0f, 4.0f) == 10.0f);
  CHECK(ul::minimum(1.0f, 2.0f) == 1.0f);
  CHECK(ul::maximum(1.0, 2.0) == 2.0);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(ul::minimum(nan, 2.0f) == 2.0f);
  CHECK(std::isnan(ul::minimum(2.0f, nan)));
  CHECK(ul::maximum(nan, 2.0f) == 2.0f);
  CHECK(std::isnan(ul::maximum(2.0f, nan)));
  CHECK(ul::select(true, 1.0f, 2.0f) == 1.0f);
  CHECK(ul::select(false, 1.0, 2.0) == 2.0);
  CHECK(ul::horner(2.0, 3, 5, 7) == (3 * 2 + 5) * 2 + 7);
  CHECK(ul::constant<float>(0.1) == 0.1f);
  static_assert(std::is_same_v<decltype(ul::exp(1.0f)), float> && std::is_same_v<decltype(ul::abs(-1.0f)), float>);
  static_assert(std::is_same_v<ul::value_t<double>, double>);
}
