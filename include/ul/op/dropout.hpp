#pragma once
// Dropout: each element is zero with probability `rate`, else divided by 1 - rate. Which ones depends on the key and
// the element's number alone; the adjoint draws them again. Srivastava et al. 2014.

#include <ul/backend/kernels/dropout.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace op {

struct dropout {
  static constexpr const char* name = "dropout";
  key k;
  double rate = 0;

  template <backend B, element T>
  using saved = nothing;

  template <backend B, element T>
  tensor<B, T> forward(nothing*, const tensor<B, T>& x) const {
    if (!(rate >= 0 && rate < 1)) fail(name, ": the rate is ", rate, ", expected at least 0 and below 1");
    if (rate == 0) return x;
    tensor<B, T> y(x.device(), x.shape());
    run(x, y.data(), store_mode::replace);
    return y;
  }

  template <backend B, element T>
  void adjoint(const nothing&, const tensor<B, T>& dy, gradient<B, T>& dx) const {
    if (rate == 0) return dx.add(dy);
    if (const auto d = dx.into(dy.device(), dy.shape()); d.data) run(dy, d.data, d.mode);
  }

 private:
  template <backend B, element T>
  void run(const tensor<B, T>& x, T* y, store_mode mode) const {
    launch(x.device(), drop_elements<T>{.count = x.size(), .k = k, .rate = rate, .x = x.data(), .y = y, .mode = mode});
  }
};

}  // namespace op

template <tensor_like X>
auto dropout(const X& x, key k, double rate) {
  return apply(op::dropout{k, rate}, x);
}

}  // namespace ul
