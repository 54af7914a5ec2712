#pragma once
// Tensors as xtensor sees them. The views copy nothing and own nothing: some handle to the tensor's elements must
// outlive them, which is why a temporary handle is refused.

// xtensor 0.26 moved its headers.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/core/xnoalias.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xnoalias.hpp>
#endif

#include <vector>

#include <ul/interop/host.hpp>

namespace ul {

// x as an adaptor of the same shape, row-major.
template <host_backend B, element T>
requires std::is_arithmetic_v<T>
auto as_xtensor(const tensor<B, T>& x) {
  const std::vector<std::size_t> shape(x.shape().begin(), x.shape().end());
  return xt::adapt(x.data(), static_cast<std::size_t>(x.size()), xt::no_ownership(), shape);
}
template <host_backend B, element T>
auto as_xtensor(const tensor<B, T>&&) = delete;

// A tensor from an array or an expression of arrays, evaluated straight into it, in row-major order.
// Throws ul::error for more axes than a tensor has.
template <host_backend B, class Expression>
auto from_xtensor(B& device, const xt::xexpression<Expression>& expression) {
  const Expression& e = expression.derived_cast();
  std::vector<extent> axes;
  for (const auto axis : e.shape()) axes.push_back(static_cast<extent>(axis));
  tensor<B, typename Expression::value_type> x(device, extents(axes.data(), static_cast<extent>(axes.size())));
  auto view = as_xtensor(x);
  xt::noalias(view) = e;
  return x;
}

}  // namespace ul
