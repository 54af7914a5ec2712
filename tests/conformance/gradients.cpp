// Every op's adjoint against central differences, and linear ops against their transpose, in double on the reference.

#include <cmath>

#include <ul/backend/reference.hpp>
#include <ul/grad/check.hpp>

#include "cases.hpp"

using namespace conformance;

namespace {

using case_t = op_case<reference, double>;
using tensor_t = tensor<reference, double>;

void check(const case_t& c, const std::vector<tensor_t>& x) {
  const auto f = [&](const auto&... v) { return c.run({v...}); };
  switch (x.size()) {
    case 1:
      check_gradient(f, x[0]);
      return;
    case 2:
      check_gradient(f, x[0], x[1]);
      return;
    case 3:
      check_gradient(f, x[0], x[1], x[2]);
      return;
    default:
      FAIL("a case has ", x.size(), " inputs");
  }
}

std::vector<tensor_t> inputs_of(reference& device, const case_t& c, std::uint64_t seed) {
  std::vector<tensor_t> x;
  for (const sample& s : c.inputs) x.push_back(case_list<reference, double>::upload(device, s, seed + x.size()));
  return x;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST_CASE("every adjoint agrees with central differences") {
  reference device;
  for (const case_t& c : all_cases<double>(device)) {
    CAPTURE(c.title);
    CHECK_NOTHROW(check(c, inputs_of(device, c, 10)));
  }
}

TEST_CASE("a linear op and its adjoint are transposes of each other") {
  reference device;
  for (const case_t& c : all_cases<double>(device)) {
    if (!c.linear) continue;
    CAPTURE(c.title);
    const std::vector<tensor_t> x = inputs_of(device, c, 20);
    tape<reference> t;
    values<reference, double> v;
    for (const tensor_t& each : x) v.push_back(t.watch(each));
    const auto y = c.run(v);
    const tensor_t w = normal<double>(device, y.shape(), key(3));
    t.backward(y, w);
    double back = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (t.gradient_of(v[i])) back += dot(to_host(x[i]), to_host(t.gradient_of(v[i])));
    const double forward = dot(to_host(y.value()), to_host(w));
    CHECK(std::fabs(forward - back) <=
          1e-12 * (1 + std::sqrt(dot(to_host(y.value()), to_host(y.value())) * dot(to_host(w), to_host(w)))));
  }
}
