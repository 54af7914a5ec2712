#pragma once
// Tensors as Eigen sees them. The views copy nothing and own nothing: some handle to the tensor's elements must outlive
// them, which is why a temporary handle is refused. They assume no alignment, so they are the same type whatever
// instruction set a translation unit is compiled for.

#include <Eigen/Core>

#include <ul/interop/host.hpp>

namespace ul {

template <class T>
using eigen_matrix = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class T>
using eigen_vector = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;

// x (..., C) as a matrix of C columns; a vector is one row, a scalar a matrix of one element.
template <host_backend B, element T>
requires std::is_arithmetic_v<T> eigen_matrix<T> as_eigen(const tensor<B, T>& x) {
  const extent rank = x.rank();
  return {x.data(), rank == 0 ? 1 : x.shape().product(0, rank - 1), rank == 0 ? 1 : x.shape()[-1]};
}
template <host_backend B, element T>
eigen_matrix<T> as_eigen(const tensor<B, T>&&) = delete;

// All elements of x, in order, as a column.
template <host_backend B, element T>
requires std::is_arithmetic_v<T> eigen_vector<T> as_eigen_vector(const tensor<B, T>& x) { return {x.data(), x.size()}; }
template <host_backend B, element T>
eigen_vector<T> as_eigen_vector(const tensor<B, T>&&) = delete;

// A tensor from a matrix or an expression of matrices, evaluated straight into it: (rows, cols) or, from what is a
// vector by its type, (size).
template <host_backend B, class Expression>
auto from_eigen(B& device, const Eigen::DenseBase<Expression>& expression) {
  const extents shape =
      Expression::IsVectorAtCompileTime ? extents{expression.size()} : extents{expression.rows(), expression.cols()};
  tensor<B, typename Expression::Scalar> x(device, shape);
  eigen_matrix<typename Expression::Scalar>(x.data(), expression.rows(), expression.cols()).noalias() =
      expression.derived().matrix();
  return x;
}

}  // namespace ul
