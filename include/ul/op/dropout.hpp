#pragma once
// Dropout: each element is zero with probability `rate`, else divided by 1 - rate. Which ones depends on the key and
// the element's number alone; the adjoint draws them again. Srivastava et al. 2014.

#include <ul/core/uniform.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// Elements 4i to 4i + 3, one for each word of block i of the key.
template <class T>
struct dropped_block {
  key k;
  double rate;
  extent count;
  const T* x;
  T* y;
  store_mode mode;
  UL_HD void operator()(extent i) const {
    const auto words = k.block(static_cast<std::uint64_t>(i));
    const auto scale = static_cast<compute_t<T>>(1 / (1 - rate));
    for (int lane = 0; lane < 4 && 4 * i + lane < count; ++lane) {
      const extent n = 4 * i + lane;
      const bool kept = static_cast<double>(uniform(words.word[lane])) >= rate;
      store(y[n], kept ? static_cast<compute_t<T>>(x[n]) * scale : compute_t<T>{0}, mode);
    }
  }
};

}  // namespace detail

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
    x.device().for_each(ceil_div(x.size(), 4), 60, detail::dropped_block<T>{k, rate, x.size(), x.data(), y, mode});
  }
};

}  // namespace op

template <tensor_like X>
auto dropout(const X& x, key k, double rate) {
  return apply(op::dropout{k, rate}, x);
}

}  // namespace ul
