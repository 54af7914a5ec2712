#pragma once
// Scaled dot-product attention for each head, without a matrix of scores. Vaswani et al. 2017, equation 1.
//   q (B, N, heads * D), k, v (B, M, heads * D) -> (B, N, heads * D), head h in channels [h D, (h + 1) D)

#include <cmath>

#include <ul/backend/kernels/attention.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {

// Tokens of the given number of channels, `offset` into rows that are `row` apart.
template <class T>
head_rows<T> tokens(T* data, extent offset, extent count, extent row) {
  return {data + offset, count * row, row};
}

inline attention_shape heads_of(const char* name, extent batch, extent queries, extent keys, extent channels,
                                extent heads, double scale) {
  if (heads < 1 || channels % heads != 0) fail(name, ": ", channels, " channels do not divide into ", heads, " heads");
  if (keys == 0 && queries != 0) fail(name, ": there are ", queries, " queries but no keys");
  const extent depth = channels / heads;
  return {batch, heads, queries,
          keys,  depth, scale != 0 || depth == 0 ? scale : 1 / std::sqrt(static_cast<double>(depth))};
}

}  // namespace detail

namespace op {

struct attention {
  static constexpr const char* name = "attention";
  extent heads = 1;
  double scale = 0;  // of the scores; 0 stands for 1 / sqrt(D)

  template <backend B, element T>
  struct saved {
    tensor<B, T> q, k, v, y;
    tensor<B, compute_t<T>> lse;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& q, const tensor<B, T>& k, const tensor<B, T>& v) const {
    if (q.rank() != 3) fail(name, ": q is ", q.shape(), ", expected (B, N, channels)");
    if (k.rank() != 3 || k.shape()[0] != q.shape()[0] || k.shape()[2] != q.shape()[2])
      fail(name, ": k is ", k.shape(), ", expected (", q.shape()[0], ", M, ", q.shape()[2], ")");
    if (v.shape() != k.shape()) fail(name, ": v is ", v.shape(), ", k is ", k.shape());
    const attention_shape s = shape(q.shape(), k.shape());
    const extent C = q.shape()[2];
    tensor<B, T> y(q.device(), q.shape());
    const tensor<B, compute_t<T>> lse(q.device(), {s.batch, s.heads, s.queries});
    if (y.size() != 0)
      launch(q.device(), attention_forward<T>{.shape = s,
                                              .q = detail::tokens<const T>(q.data(), 0, s.queries, C),
                                              .k = detail::tokens<const T>(k.data(), 0, s.keys, C),
                                              .v = detail::tokens<const T>(v.data(), 0, s.keys, C),
                                              .out = detail::tokens(y.data(), 0, s.queries, C),
                                              .lse = lse.data()});
    if (keep) *keep = {q, k, v, y, lse};
    return y;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dq, gradient<B, T>& dk,
               gradient<B, T>& dv) const {
    B& device = dy.device();
    const auto& [q, k, v, y, lse] = kept;
    const attention_shape s = shape(q.shape(), k.shape());
    if (q.size() == 0) return;
    const extent C = q.shape()[2];
    const tensor<B, T> to_q(device, q.shape()), to_k(device, k.shape()), to_v(device, k.shape());
    launch(device, attention_backward<T>{.shape = s,
                                         .q = detail::tokens<const T>(q.data(), 0, s.queries, C),
                                         .k = detail::tokens<const T>(k.data(), 0, s.keys, C),
                                         .v = detail::tokens<const T>(v.data(), 0, s.keys, C),
                                         .out = detail::tokens<const T>(y.data(), 0, s.queries, C),
                                         .dout = detail::tokens<const T>(dy.data(), 0, s.queries, C),
                                         .lse = lse.data(),
                                         .dq = detail::tokens(to_q.data(), 0, s.queries, C),
                                         .dk = detail::tokens(to_k.data(), 0, s.keys, C),
                                         .dv = detail::tokens(to_v.data(), 0, s.keys, C)});
    dq.add(to_q);
    dk.add(to_k);
    dv.add(to_v);
  }

 private:
  attention_shape shape(const extents& q, const extents& k) const {
    return detail::heads_of(name, q[0], q[1], k[1], q[2], heads, scale);
  }
};

// qkv (B, N, 3 * heads * D), the queries, keys and values side by side -> (B, N, heads * D)
struct self_attention {
  static constexpr const char* name = "self_attention";
  extent heads = 1;
  double scale = 0;  // of the scores; 0 stands for 1 / sqrt(D)

  template <backend B, element T>
  struct saved {
    tensor<B, T> qkv, y;
    tensor<B, compute_t<T>> lse;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& qkv) const {
    if (qkv.rank() != 3 || qkv.shape()[2] % 3 != 0)
      fail(name, ": qkv is ", qkv.shape(), ", expected (B, N, 3 * channels)");
    const attention_shape s = shape(qkv.shape());
    const extent C = qkv.shape()[2] / 3;
    tensor<B, T> y(qkv.device(), qkv.shape().with(-1, C));
    const tensor<B, compute_t<T>> lse(qkv.device(), {s.batch, s.heads, s.queries});
    const auto in = [&](extent part) { return detail::tokens<const T>(qkv.data(), part * C, s.queries, 3 * C); };
    if (y.size() != 0)
      launch(qkv.device(), attention_forward<T>{.shape = s,
                                                .q = in(0),
                                                .k = in(1),
                                                .v = in(2),
                                                .out = detail::tokens(y.data(), 0, s.queries, C),
                                                .lse = lse.data()});
    if (keep) *keep = {qkv, y, lse};
    return y;
  }

  template <backend B, element T>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& dqkv) const {
    const attention_shape s = shape(kept.qkv.shape());
    if (dy.size() == 0) return;
    const extent C = dy.shape()[2];
    const tensor<B, T> to(dy.device(), kept.qkv.shape());
    const auto in = [&](extent part) { return detail::tokens<const T>(kept.qkv.data(), part * C, s.queries, 3 * C); };
    const auto out = [&](extent part) { return detail::tokens(to.data(), part * C, s.queries, 3 * C); };
    launch(dy.device(), attention_backward<T>{.shape = s,
                                              .q = in(0),
                                              .k = in(1),
                                              .v = in(2),
                                              .out = detail::tokens<const T>(kept.y.data(), 0, s.queries, C),
                                              .dout = detail::tokens<const T>(dy.data(), 0, s.queries, C),
                                              .lse = kept.lse.data(),
                                              .dq = out(0),
                                              .dk = out(1),
                                              .dv = out(2)});
    dqkv.add(to);
  }

 private:
  attention_shape shape(const extents& qkv) const {
    return detail::heads_of(name, qkv[0], qkv[1], qkv[1], qkv[2] / 3, heads, scale);
  }
};

}  // namespace op

// attention(q, k, v, {.heads = 6})
template <tensor_like Q, tensor_like K, tensor_like V>
auto attention(const Q& q, const K& k, const V& v, const op::attention& settings) {
  return apply(settings, q, k, v);
}
// self_attention(qkv, {.heads = 6})
template <tensor_like X>
auto self_attention(const X& qkv, const op::self_attention& settings) {
  return apply(settings, qkv);
}

}  // namespace ul
