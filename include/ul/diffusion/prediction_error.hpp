#pragma once
// The weighted squared error of a prediction in one pass: output, x, eps (B, ...) and the coefficients on_x, on_eps,
// weights (B) -> (B) = weights[b] * the sum over the sample of (on_x x + on_eps eps - output)^2, in the precision of
// sums. The target is never stored. Gradients flow to output and x.

#include <ul/grad/apply.hpp>

namespace ul {

namespace detail {
struct target_distance {
  template <class V>
  UL_HD static V of(V output, V x, V eps, V on_x, V on_eps) {
    return muladd(on_x, x, muladd(on_eps, eps, -output));
  }
  template <class V>
  UL_HD V operator()(V output, V x, V eps, V on_x, V on_eps, V weight) const {
    const V d = of(output, x, eps, on_x, on_eps);
    return weight * d * d;
  }
};
struct output_slope {
  template <class V>
  UL_HD V operator()(V output, V x, V eps, V on_x, V on_eps, V weight, V dloss) const {
    return constant<V>(-2) * weight * dloss * target_distance::of(output, x, eps, on_x, on_eps);
  }
};
struct data_slope {
  template <class V>
  UL_HD V operator()(V output, V x, V eps, V on_x, V on_eps, V weight, V dloss) const {
    return constant<V>(2) * weight * dloss * on_x * target_distance::of(output, x, eps, on_x, on_eps);
  }
};
}  // namespace detail

namespace op {

struct prediction_error {
  static constexpr const char* name = "prediction_error";

  template <backend B, element T>
  struct saved {
    tensor<B, T> output, x, eps;
    tensor<B, compute_t<T>> on_x, on_eps, weights;
  };

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(saved<B, T>* keep, const tensor<B, T>& output, const tensor<B, T>& x,
                                  const tensor<B, T>& eps, const tensor<B, compute_t<T>>& on_x,
                                  const tensor<B, compute_t<T>>& on_eps, const tensor<B, compute_t<T>>& weights) const {
    if (output.rank() < 1) fail(name, ": output is ", output.shape(), ", expected (B, ...)");
    if (x.shape() != output.shape()) fail(name, ": x is ", x.shape(), ", output is ", output.shape());
    if (eps.shape() != output.shape()) fail(name, ": eps is ", eps.shape(), ", output is ", output.shape());
    const extents samples{output.shape()[0]};
    for (const auto* c : {&on_x, &on_eps, &weights})
      if (c->shape() != samples) fail(name, ": coefficients are ", c->shape(), ", expected ", samples);
    const saved<B, T> all{output, x, eps, on_x, on_eps, weights};
    if (keep) *keep = all;
    tensor<B, compute_t<T>> loss(output.device(), samples);
    if (loss.size() == 0) return loss;
    const space s{samples[0], output.shape().product(1, output.rank()), 1};
    output.device().fold(s, detail::target_distance{}, loss.data(), store_mode::replace, detail::input(output, s),
                         detail::input(x, s), detail::input(eps, s), each(on_x), each(on_eps), each(weights));
    return loss;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, compute_t<T>>& dloss, gradient<B, T>& doutput,
               gradient<B, T>& dx, gradient<B, T>&, gradient<B, compute_t<T>>&, gradient<B, compute_t<T>>&,
               gradient<B, compute_t<T>>&) const {
    slope(kept, dloss, detail::output_slope{}, doutput);
    slope(kept, dloss, detail::data_slope{}, dx);
  }

 private:
  template <backend B, element C>
  static operand<const C> each(const tensor<B, C>& numbers) {
    return per_sample<const C>(numbers.data());
  }
  template <backend B, element T, class F>
  void slope(const saved<B, T>& kept, const tensor<B, compute_t<T>>& dloss, F f, gradient<B, T>& d) const {
    const extents& shape = kept.output.shape();
    const space s{shape[0], 1, shape.product(1, shape.rank())};
    d.map(dloss.device(), shape, s, f, detail::input(kept.output, s), detail::input(kept.x, s),
          detail::input(kept.eps, s), each(kept.on_x), each(kept.on_eps), each(kept.weights), each(dloss));
  }
};

}  // namespace op

template <tensor_like Output, tensor_like X, tensor_like Eps, tensor_like A, tensor_like C, tensor_like W>
auto prediction_error(const Output& output, const X& x, const Eps& eps, const A& on_x, const C& on_eps,
                      const W& weights) {
  return apply(op::prediction_error{}, output, x, eps, on_x, on_eps, weights);
}

}  // namespace ul
