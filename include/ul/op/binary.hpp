#pragma once
// Element-wise a op b. b broadcasts to a as in NumPy, aligned at the last axis, where the axes b is spread over are
// neighbours: b (C), (B, 1, 1, C), (B, 1, 1, 1), (1, H, W, C), (B, H, W, 1), () on a (B, H, W, C). -> a's extents.

#include <ul/op/broadcast.hpp>
#include <ul/op/op.hpp>

namespace ul {

namespace detail {
template <class F>
struct binary_value {
  template <class V>
  UL_HD V operator()(V a, V b) const {
    return F::value(a, b);
  }
};
template <class F>
struct binary_slope_a {
  template <class... V>
  UL_HD auto operator()(V... x) const {
    return F::slope_a(x...);
  }
};
template <class F>
struct binary_slope_b {
  template <class... V>
  UL_HD auto operator()(V... x) const {
    return F::slope_b(x...);
  }
};
}  // namespace detail

namespace op {

// y = F::value(a, b), with F::slope_a(a, b, dy) and F::slope_b(a, b, dy).
template <class F>
struct binary {
  static constexpr const char* name = F::name;

  template <backend B, element T>
  struct saved {
    tensor<B, T> a, b;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& a, const tensor<B, T>& b) const {
    const detail::spread spread(name, b.shape(), a.shape());
    if (keep) *keep = {a, b};
    const space s = spread.points();
    return detail::mapped<T>(a.device(), a.shape(), s, detail::binary_value<F>{}, detail::input(a, s), spread.input(b));
  }

  template <backend B, element T, element G>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, T>& da, gradient<B, G>& db) const {
    const detail::spread spread(name, kept.b.shape(), kept.a.shape());
    const space s = spread.points();
    const auto a = detail::input(kept.a, s), d = detail::input(dy, s), b = spread.input(kept.b);
    da.map(dy.device(), kept.a.shape(), s, detail::binary_slope_a<F>{}, a, b, d);
    spread.gather(dy.device(), db, kept.b.shape(), detail::binary_slope_b<F>{}, a, b, d);
  }
};

// y = F::value(a, b) whose slopes need no values: 1 in a, F::sign in b.
template <class F>
struct additive {
  static constexpr const char* name = F::name;

  template <backend B, element T>
  using saved = extents;  // of b

  template <backend B, element T>
  tensor<B, T> forward(extents* keep, const tensor<B, T>& a, const tensor<B, T>& b) const {
    if (keep) *keep = b.shape();
    return binary<F>{}.template forward<B, T>(nullptr, a, b);
  }

  template <backend B, element T, element G>
  void adjoint(const extents& shape_b, const tensor<B, T>& dy, gradient<B, T>& da, gradient<B, G>& db) const {
    const detail::spread spread(name, shape_b, dy.shape());
    da.add(dy);
    if constexpr (F::sign == 1 && std::is_same_v<G, T>)
      if (shape_b == dy.shape()) return db.add(dy);  // without a pass over it
    spread.gather(dy.device(), db, shape_b, detail::scaled{F::sign}, detail::input(dy, spread.points()));
  }
};

}  // namespace op
}  // namespace ul
