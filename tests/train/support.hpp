#pragma once
// A small network that every test of this floor can train, and helpers to look at flat stores.

#include <cstring>
#include <vector>

#include <ul/backend/reference.hpp>
#include <ul/grad/apply.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/linear.hpp>

namespace test {

// in -> hidden -> out, a sigmoid after each layer.
template <class B, class T>
struct network {
  ul::param<B, T> w1, b1, w2, b2;

  network(const ul::scope<B, T>& s, ul::extent in, ul::extent hidden, ul::extent out)
      : w1((s / "first").declare("weight", {in, hidden}, ul::fan_in_init(in))),
        b1((s / "first").declare("bias", {hidden}, ul::fan_in_init(in))),
        w2((s / "second").declare("weight", {hidden, out}, ul::fan_in_init(hidden))),
        b2((s / "second").declare("bias", {out}, ul::fan_in_init(hidden))) {}

  ul::var<B, T> operator()(const ul::var<B, T>& x) const {
    return ul::sigmoid(ul::linear(ul::sigmoid(ul::linear(x, w1, b1)), w2, b2));
  }
};

// The gradient of the sum of the outputs, into the parameters.
template <class B, class T>
void sum_gradient(ul::parameters<B, T>& p, const network<B, T>& net, const ul::tensor<B, T>& x) {
  p.zero_gradient();
  ul::tape<B> t;
  const auto y = net(t.constant(x));
  t.backward(y, ul::full<T>(p.device(), y.shape(), 1));
}

template <class B, class T>
std::vector<T> host(const ul::param<B, T>& p) {
  return ul::to_host(p.value());
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Writes values into part of a flat buffer.
template <class B, class T>
void put(const ul::tensor<B, T>& to, const std::vector<std::type_identity_t<T>>& values) {
  to.device().upload(to.data(), values.data(), static_cast<ul::extent>(values.size() * sizeof(T)));
}

}  // namespace test
