#pragma once
// Cross-entropy in nats: logits (..., K), labels (...) -> (...) = -log softmax(logits)[label], in the precision of
// sums. A label outside [0, K) gives a loss and a gradient of NaN: what runs on a device cannot throw.

#include <ul/op/softmax.hpp>

namespace ul {

namespace detail {

template <class T>
struct cross_entropy_row {
  extent count;
  const T* logits;
  const std::int32_t* labels;
  compute_t<T>* loss;
  UL_HD void operator()(extent row) const {
    const T* x = logits + row * count;
    const extent label = labels[row];
    const bool known = label >= 0 && label < count;
    loss[row] = static_cast<compute_t<T>>(known ? log_sum_exp(x, count) - static_cast<double>(x[label])
                                                : static_cast<double>(NAN));
  }
};
template <class T>
struct cross_entropy_row_adjoint {
  extent count;
  const T* logits;
  const std::int32_t* labels;
  const compute_t<T>* dloss;
  T* dx;
  store_mode mode;
  UL_HD void operator()(extent row) const {
    const T* x = logits + row * count;
    const extent label = labels[row];
    const bool known = label >= 0 && label < count;
    const double log_sum = log_sum_exp(x, count),
                 d = known ? static_cast<double>(dloss[row]) : static_cast<double>(NAN);
    for (extent i = 0; i < count; ++i) {
      const double p = std::exp(static_cast<double>(x[i]) - log_sum) - (i == label ? 1 : 0);
      store(dx[row * count + i], static_cast<compute_t<T>>(d * p), mode);
    }
  }
};

}  // namespace detail

namespace op {

struct cross_entropy {
  static constexpr const char* name = "cross_entropy";

  template <backend B, element T>
  struct saved {
    tensor<B, T> logits;
    tensor<B, std::int32_t> labels;
  };

  template <backend B, element T>
  tensor<B, compute_t<T>> forward(saved<B, T>* keep, const tensor<B, T>& logits,
                                  const tensor<B, std::int32_t>& labels) const {
    const extent K = detail::columns_of(name, logits);
    if (labels.shape() != logits.shape().without(-1))
      fail(name, ": labels are ", labels.shape(), ", logits ", logits.shape());
    if (K == 0) fail(name, ": logits are ", logits.shape(), ", expected at least one class");
    if (keep) *keep = {logits, labels};
    tensor<B, compute_t<T>> loss(logits.device(), labels.shape());
    logits.device().for_each(loss.size(), 20 * K,
                             detail::cross_entropy_row<T>{K, logits.data(), labels.data(), loss.data()});
    return loss;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, compute_t<T>>& dloss, gradient<B, T>& dlogits,
               gradient<B, std::int32_t>&) const {
    const extent K = kept.logits.shape()[-1];
    if (const auto d = dlogits.into(dloss.device(), kept.logits.shape()); d.data)
      dloss.device().for_each(dloss.size(), 20 * K,
                              detail::cross_entropy_row_adjoint<T>{K, kept.logits.data(), kept.labels.data(),
                                                                   dloss.data(), d.data, d.mode});
  }
};

}  // namespace op

template <tensor_like X, tensor_like L>
auto cross_entropy(const X& logits, const L& labels) {
  return apply(op::cross_entropy{}, logits, labels);
}

}  // namespace ul
