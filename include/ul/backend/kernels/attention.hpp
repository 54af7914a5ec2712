#pragma once
// Scaled dot-product attention over packed heads, never storing the matrix of scores.
//   q, out (batch, queries, heads * depth), k, v (batch, keys, heads * depth); lse (batch, heads, queries)

#include <cmath>

#include <ul/backend/concept.hpp>

namespace ul {

// One of q, k, v inside a larger tensor: head h of row n of sample b starts at data[b * sample + n * row + h * depth].
template <class T>
struct head_rows {
  T* data = nullptr;
  extent sample = 0, row = 0;
};

struct attention_shape {
  extent batch = 1, heads = 1, queries = 1, keys = 1, depth = 1;
  double scale = 1;  // of the scores before the softmax
};

namespace detail {

template <class T>
UL_HD T* head(const head_rows<T>& x, extent b, extent n, extent h, extent depth) {
  return x.data + b * x.sample + n * x.row + h * depth;
}
template <class T>
UL_HD double dot(const T* a, const T* b, extent n) {
  double sum = 0;
  for (extent i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

template <class T>
struct attention_query {
  attention_shape s;
  head_rows<const T> q, k, v;
  head_rows<T> out;
  compute_t<T>* lse;

  UL_HD void operator()(extent i) const {
    const extent n = i % s.queries, h = i / s.queries % s.heads, b = i / s.queries / s.heads;
    const T* query = head(q, b, n, h, s.depth);
    double top = -INFINITY, sum = 0;
    for (extent j = 0; j < s.keys; ++j) {
      const double score = s.scale * dot(query, head(k, b, j, h, s.depth), s.depth);
      top = score > top ? score : top;
    }
    for (extent j = 0; j < s.keys; ++j)
      sum += std::exp(s.scale * dot(query, head(k, b, j, h, s.depth), s.depth) - top);
    const double log_sum = top + std::log(sum);
    lse[i] = static_cast<compute_t<T>>(log_sum);
    T* y = head(out, b, n, h, s.depth);
    constexpr extent width = 64;  // channels mixed at once: the probabilities are computed once for so many
    for (extent first = 0; first < s.depth; first += width) {
      const extent count = s.depth - first < width ? s.depth - first : width;
      double mix[width] = {};
      for (extent j = 0; j < s.keys; ++j) {
        const double p = std::exp(s.scale * dot(query, head(k, b, j, h, s.depth), s.depth) - log_sum);
        const T* value = head(v, b, j, h, s.depth) + first;
        for (extent d = 0; d < count; ++d) mix[d] += p * static_cast<double>(value[d]);
      }
      for (extent d = 0; d < count; ++d) y[first + d] = static_cast<T>(static_cast<compute_t<T>>(mix[d]));
    }
  }
};

// delta[b, h, n] = <dout, out>, the sum over keys of p * dp.
template <class T>
struct attention_delta {
  attention_shape s;
  head_rows<const T> out, dout;
  compute_t<T>* delta;

  UL_HD void operator()(extent i) const {
    const extent n = i % s.queries, h = i / s.queries % s.heads, b = i / s.queries / s.heads;
    delta[i] = static_cast<compute_t<T>>(dot(head(out, b, n, h, s.depth), head(dout, b, n, h, s.depth), s.depth));
  }
};

// The probability of one pair and the gradient of its score.
template <class T>
struct attention_pair {
  attention_shape s;
  head_rows<const T> q, k, v, dout;
  const compute_t<T>*lse, *delta;

  UL_HD double probability(extent b, extent h, extent n, extent j) const {
    const double score = s.scale * dot(head(q, b, n, h, s.depth), head(k, b, j, h, s.depth), s.depth);
    return std::exp(score - static_cast<double>(lse[(b * s.heads + h) * s.queries + n]));
  }
  UL_HD double score_gradient(extent b, extent h, extent n, extent j, double p) const {
    const double dp = dot(head(dout, b, n, h, s.depth), head(v, b, j, h, s.depth), s.depth);
    return s.scale * p * (dp - static_cast<double>(delta[(b * s.heads + h) * s.queries + n]));
  }
};

template <class T>
struct attention_dq {
  attention_pair<T> pair;
  head_rows<T> dq;

  UL_HD void operator()(extent i) const {
    const attention_shape& s = pair.s;
    const extent n = i % s.queries, h = i / s.queries % s.heads, b = i / s.queries / s.heads;
    for (extent d = 0; d < s.depth; ++d) {
      double sum = 0;
      for (extent j = 0; j < s.keys; ++j)
        sum += pair.score_gradient(b, h, n, j, pair.probability(b, h, n, j)) *
               static_cast<double>(head(pair.k, b, j, h, s.depth)[d]);
      head(dq, b, n, h, s.depth)[d] = static_cast<T>(static_cast<compute_t<T>>(sum));
    }
  }
};

template <class T>
struct attention_dkv {
  attention_pair<T> pair;
  head_rows<T> dk, dv;

  UL_HD void operator()(extent i) const {
    const attention_shape& s = pair.s;
    const extent j = i % s.keys, h = i / s.keys % s.heads, b = i / s.keys / s.heads;
    for (extent d = 0; d < s.depth; ++d) {
      double keys = 0, values = 0;
      for (extent n = 0; n < s.queries; ++n) {
        const double p = pair.probability(b, h, n, j);
        keys += pair.score_gradient(b, h, n, j, p) * static_cast<double>(head(pair.q, b, n, h, s.depth)[d]);
        values += p * static_cast<double>(head(pair.dout, b, n, h, s.depth)[d]);
      }
      head(dk, b, j, h, s.depth)[d] = static_cast<T>(static_cast<compute_t<T>>(keys));
      head(dv, b, j, h, s.depth)[d] = static_cast<T>(static_cast<compute_t<T>>(values));
    }
  }
};

}  // namespace detail

// out = softmax(scale q k^T) v for each head; also leaves the log of the sum of exponentials for the backward pass.
template <class T>
struct attention_forward {
  attention_shape shape;
  head_rows<const T> q, k, v;
  head_rows<T> out;
  compute_t<T>* lse = nullptr;

  template <backend B>
  void composed(B& device) const {
    const attention_shape& s = shape;
    device.for_each(s.batch * s.heads * s.queries, 2 * s.keys * s.depth * (s.depth + 2),
                    detail::attention_query<T>{s, q, k, v, out, lse});
  }
};

// Replaces dq, dk and dv.
template <class T>
struct attention_backward {
  attention_shape shape;
  head_rows<const T> q, k, v, out, dout;
  const compute_t<T>* lse = nullptr;
  head_rows<T> dq, dk, dv;

  template <backend B>
  void composed(B& device) const {
    const attention_shape& s = shape;
    const extent rows = s.batch * s.heads * s.queries, work = 4 * s.depth * s.depth;
    scratch<B, compute_t<T>> delta(device, rows);
    device.for_each(rows, 2 * s.depth, detail::attention_delta<T>{s, out, dout, delta.data()});
    const detail::attention_pair<T> pair{s, q, k, v, dout, lse, delta.data()};
    device.for_each(rows, s.keys * work, detail::attention_dq<T>{pair, dq});
    device.for_each(s.batch * s.heads * s.keys, s.queries * work, detail::attention_dkv<T>{pair, dk, dv});
  }
};

}  // namespace ul
