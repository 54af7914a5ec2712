#pragma once
// What a network knows about its sample as a whole: the noise level, and perhaps the class, as one activated vector.

#include <optional>

#include <ul/nn/class_embedding.hpp>
#include <ul/nn/condition.hpp>
#include <ul/nn/linear.hpp>
#include <ul/nn/sinusoidal.hpp>
#include <ul/op/activations.hpp>
#include <ul/op/arithmetic.hpp>

namespace ul::nn {

struct noise_embedding_options {
  extent features = 0;  // of the result; 0 in a network's options: the network is told no noise level
  sinusoidal_options sinusoids = {};
  extent classes = 0;  // 0: no class is asked for
};

// noise (B), label (B) -> silu(out(silu(in(sinusoids(noise)))) + class(label)) (B, features).
// Parameters: in/weight (sinusoids, features), in/bias, out/weight (features, features), out/bias; with classes
// class/weight (classes + 1, features), whose last row stands for no class.
template <backend B, element T>
class noise_embedding {
 public:
  noise_embedding(const scope<B, T>& s, const noise_embedding_options& o)
      : sinusoids_(s.device(), o.sinusoids),
        in_(s / "in", o.sinusoids.features, o.features, {.act = activation::silu}),
        out_(s / "out", o.features, o.features, {.act = o.classes == 0 ? activation::silu : activation::none}) {
    if (o.classes != 0) class_.emplace(s / "class", o.classes, o.features);
  }

  // Recorded where `x`, the network's input, is recorded.
  var<B, T> operator()(const var<B, T>& x, const tensor<B, compute_t<T>>& noise,
                       const tensor<B, std::int32_t>& label = {}) const {
    demand(x, noise, "noise level");
    if (class_) demand(x, label, "class");
    if (!class_ && label) fail("noise_embedding: classes are given, but the network was built without");
    const var<B, T> e = out_(in_(detail::beside(x, sinusoids_(noise))));
    return class_ ? silu(add(e, (*class_)(detail::beside(x, label)))) : e;
  }

 private:
  template <class Each>
  static void demand(const var<B, T>& x, const Each& each, const char* what) {
    if (x.shape().rank() == 0) fail("noise_embedding: x is ", x.shape(), ", expected (B, ...)");
    const extent batch = x.shape()[0];
    if (!each) fail("noise_embedding: no ", what, " given, expected (", batch, ")");
    if (each.shape() != extents{batch})
      fail("noise_embedding: the ", what, " is ", each.shape(), ", expected (", batch, ")");
  }

  sinusoidal<B, T> sinusoids_;
  linear<B, T> in_, out_;
  std::optional<class_embedding<B, T>> class_;
};

// What the blocks of a network are told, from what the network is told.
template <backend B, element T>
condition<B, T> embedded(const std::optional<noise_embedding<B, T>>& embedding, const var<B, T>& x,
                         const network_condition<B, T>& c) {
  return {.embedding = embedding ? (*embedding)(x, c.noise, c.label) : var<B, T>(),
          .context = c.context,
          .dropout = c.dropout};
}

}  // namespace ul::nn
