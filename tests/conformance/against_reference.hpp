#pragma once
// Every op on a backend, forwards and backwards, against the reference in double.

#include <cmath>

#include <ul/backend/reference.hpp>

#include "cases.hpp"

namespace conformance {

// The result and the gradients of all inputs, on the host.
using outcome = std::vector<std::vector<double>>;

template <backend B, element T>
std::vector<double> on_host(const tensor<B, T>& x) {
  if (!x) return {};
  const std::vector<T> v = to_host(x);
  return {v.begin(), v.end()};
}

// `uses` of the op on the same inputs: with two, the second gradient is added to the first where it lies.
template <backend B, element T>
outcome run(B& device, const op_case<B, T>& c, int uses) {
  tape<B> t;
  values<B, T> v;
  for (const sample& s : c.inputs) v.push_back(t.watch(case_list<B, T>::upload(device, s, 30 + v.size())));
  var<B, T> y = c.run(v);
  for (int i = 1; i < uses; ++i) y = add(y, c.run(v));
  outcome all{on_host(y.value())};
  t.backward(y, case_list<B, T>::upload(device, y.shape(), 40));
  for (const auto& x : v) all.push_back(on_host(t.gradient_of(x)));
  return all;
}

// Differences are measured against the largest number of the same tensor.
inline void compare(const outcome& found, const outcome& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    CAPTURE(k);
    REQUIRE(found[k].size() == expected[k].size());
    double largest = 0, worst = 0;
    for (const double x : expected[k]) largest = std::fmax(largest, std::fabs(x));
    for (std::size_t i = 0; i < found[k].size(); ++i) {
      const double difference = std::fabs(found[k][i] - expected[k][i]);
      worst = difference <= worst ? worst : difference;  // a NaN stays
    }
    CHECK(worst <= tolerance * (1 + largest));
  }
}

template <element T, backend B>
void against_reference(B& device, double tolerance) {
  reference oracle;
  const auto cases = all_cases<T>(device);
  const auto expected = all_cases<double>(oracle);
  REQUIRE(cases.size() == expected.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].title);
    for (const int uses : {1, 2}) compare(run(device, cases[i], uses), run(oracle, expected[i], uses), tolerance);
  }
}

}  // namespace conformance
