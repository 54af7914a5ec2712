#pragma once
// What a case of an op is: a function of variables and the inputs to try it on.

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include <ul/core/uniform.hpp>
#include <ul/grad/apply.hpp>

namespace conformance {

using namespace ul;

// Which numbers an input is filled with.
enum class range { any, positive, off_zero };

struct sample {
  extents shape;
  range values = range::any;

  sample(std::initializer_list<extent> axes) : shape(axes) {}
  sample(const extents& axes, range r = range::any) : shape(axes), values(r) {}

  // Between -2 and 2, the same on every backend; positive: 0.2 to 2; off_zero: at least 0.2 away from a kink at zero.
  std::vector<float> numbers(std::uint64_t seed) const {
    std::vector<float> x(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float u = uniform_at<float>(key(seed), i);
      if (values == range::any) x[i] = 4 * u - 2;
      if (values == range::positive) x[i] = 0.2f + 1.8f * u;
      if (values == range::off_zero) x[i] = u < 0.5f ? -0.2f - 3.6f * u : 0.2f + 3.6f * (u - 0.5f);
    }
    return x;
  }
};

template <backend B, element T>
using values = std::vector<var<B, T>>;

template <backend B, element T>
struct op_case {
  std::string title;
  std::vector<sample> inputs;
  std::function<var<B, T>(const values<B, T>&)> run;
  bool linear;  // in all inputs together
};

// The cases of one backend and element type, as they gather.
template <backend B, element T>
class case_list {
 public:
  explicit case_list(B& d) : device(d) {}

  template <class F>
  void add(const char* op, std::vector<sample> inputs, F run) {
    put(op, std::move(inputs), run, false);
  }
  template <class F>
  void add_linear(const char* op, std::vector<sample> inputs, F run) {
    put(op, std::move(inputs), run, true);
  }

  // A constant of a case.
  tensor<B, T> constant(const sample& s, std::uint64_t seed = 99) const { return upload(device, s, seed); }
  tensor<B, std::int32_t> ids(const extents& shape, std::vector<std::int32_t> v) const {
    return from_host<std::int32_t>(device, shape, v);
  }

  static tensor<B, T> upload(B& d, const sample& s, std::uint64_t seed) {
    const std::vector<float> x = s.numbers(seed);
    return from_host<T>(d, s.shape, std::vector<T>(x.begin(), x.end()));
  }

  B& device;
  tensor<B, T> none;
  std::vector<op_case<B, T>> cases;

 private:
  template <class F>
  void put(const char* op, std::vector<sample> inputs, F run, bool linear) {
    std::string title = std::string(op) + " #" + std::to_string(cases.size());
    for (const sample& s : inputs) title += std::string(" ") + describe(s.shape).c_str();
    const auto call = [run](const values<B, T>& x) { return var<B, T>(run(x)); };
    cases.push_back({title, std::move(inputs), call, linear});
  }
};

}  // namespace conformance
