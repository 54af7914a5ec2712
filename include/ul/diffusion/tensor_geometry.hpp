#pragma once
// The functions of state_geometry.hpp for tensors (B, ...): each sample of the batch for itself, on the device but for
// `thresholded`, whose quantiles are found on the host. Extents that differ throw ul::error.

#include <ul/diffusion/ode.hpp>
#include <ul/diffusion/tensor_state.hpp>
#include <ul/tensor/create.hpp>

namespace ul {

namespace detail {

struct times {
  template <class V>
  UL_HD V operator()(V x, V y) const {
    return x * y;
  }
};
struct squared_distance {
  template <class V>
  UL_HD V operator()(V x, V y) const {
    return (x - y) * (x - y);
  }
};
struct clamp_to {
  double low, high;
  template <class V>
  UL_HD V operator()(V x) const {
    return minimum(maximum(x, constant<V>(low)), constant<V>(high));
  }
};
struct blend_by {
  template <class V>
  UL_HD V operator()(V mask, V x, V y) const {
    return muladd(mask, x - y, y);
  }
};
// x / y, 0 where y is 0.
struct ratio_or_zero {
  template <class V>
  UL_HD V operator()(V x, V y) const {
    const V zero = constant<V>(0);
    return select(y > zero, x / select(y > zero, y, constant<V>(1)), zero);
  }
};
// The factor that takes a length of sqrt(square) down to at most `length`.
struct shortening {
  double length;
  template <class V>
  UL_HD V operator()(V square) const {
    const V norm = sqrt(square), most = constant<V>(length);
    return select(norm > most, most / norm, constant<V>(1));
  }
};
// sqrt(wanted / own), 1 where own is 0.
struct matching {
  template <class V>
  UL_HD V operator()(V own, V wanted) const {
    const V one = constant<V>(1), zero = constant<V>(0);
    return select(own > zero, sqrt(wanted / select(own > zero, own, one)), one);
  }
};
struct relative_error {
  double absolute, relative;
  template <class V>
  UL_HD V operator()(V error, V x, V y) const {
    const V e = error / muladd(constant<V>(relative), maximum(abs(x), abs(y)), constant<V>(absolute));
    return e * e;
  }
};

template <class B, class T>
void check_batches(const char* what, const tensor<B, T>& x, const tensor<B, T>& y) {
  if (x.rank() < 1 || x.shape() != y.shape()) fail(what, ": states are ", x.shape(), " and ", y.shape());
}
template <class B, class T>
space by_sample(const tensor<B, T>& x) {
  return {x.shape()[0], x.shape().product(1, x.rank()), 1};
}

// f summed over each sample of x and y: (B, ...), (B, ...) -> (B).
template <class F, class B, class T>
tensor<B, compute_t<T>> sample_sums(const F& f, const tensor<B, T>& x, const tensor<B, T>& y) {
  const space s = by_sample(x);
  tensor<B, compute_t<T>> sums(x.device(), {s.outer});
  if (sums.size() != 0)
    x.device().fold(s, f, sums.data(), store_mode::replace, dense<const T>(x.data(), s), dense<const T>(y.data(), s));
  return sums;
}
// f of each element of x and its sample's number.
template <class F, class B, class T>
tensor<B, T> with_samples(const F& f, const tensor<B, T>& x, const tensor<B, compute_t<T>>& numbers) {
  tensor<B, T> y(x.device(), x.shape());
  const space s{x.shape()[0], 1, x.shape().product(1, x.rank())};
  if (x.size() != 0)
    x.device().map(s, f, dense(y.data(), s), dense<const T>(x.data(), s),
                   per_sample<const compute_t<T>>(numbers.data()));
  return y;
}
// The squared deviation of each sample's elements about their mean, summed.
template <class B, class T>
tensor<B, compute_t<T>> squared_deviations(const tensor<B, T>& x) {
  const space s = by_sample(x);
  tensor<B, compute_t<T>> mean(x.device(), {s.outer}), sums(x.device(), {s.outer});
  if (x.size() == 0) fail("with_deviation_of: the state is ", x.shape());
  x.device().fold(s, linear_combination<1>{{1 / static_cast<double>(s.mid)}}, mean.data(), store_mode::replace,
                  dense<const T>(x.data(), s));
  x.device().fold(s, squared_distance{}, sums.data(), store_mode::replace, dense<const T>(x.data(), s),
                  per_sample<const compute_t<T>>(mean.data()));
  return sums;
}

}  // namespace detail

template <backend B, element T>
tensor<B, T> clamped(const tensor<B, T>& x, double low, double high) {
  return detail::mapped_states(detail::clamp_to{low, high}, x);
}

template <backend B, element T>
tensor<B, T> blended(const tensor<B, T>& mask, const tensor<B, T>& x, const tensor<B, T>& y) {
  detail::check_batches("blended", mask, x);
  detail::check_batches("blended", mask, y);
  return detail::mapped_states(detail::blend_by{}, mask, x, y);
}

template <backend B, element T>
tensor<B, T> projected(const tensor<B, T>& x, const tensor<B, T>& y) {
  detail::check_batches("projected", x, y);
  const auto ratio = detail::mapped_states(detail::ratio_or_zero{}, detail::sample_sums(detail::times{}, x, y),
                                           detail::sample_sums(detail::times{}, y, y));
  return detail::with_samples(detail::times{}, y, ratio);
}

template <backend B, element T>
tensor<B, T> shortened(const tensor<B, T>& x, double length) {
  detail::check_batches("shortened", x, x);
  return detail::with_samples(
      detail::times{}, x,
      detail::mapped_states(detail::shortening{length}, detail::sample_sums(detail::times{}, x, x)));
}

template <backend B, element T>
tensor<B, T> with_deviation_of(const tensor<B, T>& x, const tensor<B, T>& y) {
  detail::check_batches("with_deviation_of", x, y);
  return detail::with_samples(
      detail::times{}, x,
      detail::mapped_states(detail::matching{}, detail::squared_deviations(x), detail::squared_deviations(y)));
}

template <backend B, element T>
tensor<B, T> thresholded(const tensor<B, T>& x, double q, double least) {
  if (x.rank() < 1) fail("thresholded: the state is ", x.shape(), ", expected (B, ...)");
  using number = compute_t<T>;
  const std::vector<T> stored = to_host(x);
  const extent size = x.shape().product(1, x.rank());
  std::vector<T> out;
  for (extent b = 0; b < x.shape()[0]; ++b) {
    std::vector<number> sample;
    for (extent i = 0; i < size; ++i)
      sample.push_back(static_cast<number>(stored[static_cast<std::size_t>(b * size + i)]));
    for (const number v : thresholded(sample, q, least)) out.push_back(static_cast<T>(v));
  }
  return from_host<T>(x.device(), x.shape(), out);
}

template <backend B, element T>
double error_ratio(const tensor<B, T>& error, const tensor<B, T>& x, const tensor<B, T>& y, const adaptive_options& o) {
  tensor<B, compute_t<T>> sum(error.device(), {});
  const space s{1, error.size(), 1};
  error.device().fold(s, detail::relative_error{o.absolute, o.relative}, sum.data(), store_mode::replace,
                      dense<const T>(error.data(), s), dense<const T>(x.data(), s), dense<const T>(y.data(), s));
  return sqrt(static_cast<double>(to_scalar(sum)) /
              static_cast<double>(maximum(static_cast<double>(error.size()), 1.0)));
}

}  // namespace ul
