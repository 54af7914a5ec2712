#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>
#include <ul/interop/eigen.hpp>
#include <ul/tensor/create.hpp>

namespace {

template <class X>
concept viewable = requires(X&& x) {
  ul::as_eigen(std::forward<X>(x));
};
template <class X>
concept viewable_as_vector = requires(X&& x) {
  ul::as_eigen_vector(std::forward<X>(x));
};
using float_tensor = ul::tensor<ul::reference, float>;

// A temporary's elements would be gone, and Eigen has no arithmetic on our 16-bit types.
static_assert(viewable<float_tensor&> && !viewable<float_tensor>);
static_assert(viewable_as_vector<float_tensor&> && !viewable_as_vector<float_tensor>);
static_assert(!viewable<ul::tensor<ul::reference, ul::bf16>&>);

}  // namespace

TEST_CASE_TEMPLATE("a tensor seen as an Eigen matrix is the tensor itself", B, ul::reference, ul::cpu) {
  B device;
  const auto x = ul::from_host<float>(device, {2, 3, 4}, std::vector<float>(24, 1));
  auto m = ul::as_eigen(x);
  CHECK(m.data() == x.data());
  CHECK(m.rows() == 6);
  CHECK(m.cols() == 4);
  m(4, 1) = 7;
  CHECK(ul::to_host(x)[4 * 4 + 1] == 7);
  m.row(5) *= 2;
  CHECK(ul::to_host(x)[23] == 2);
  CHECK(ul::as_eigen_vector(x).sum() == 24 + 6 + 4);
  CHECK(ul::as_eigen_vector(x).data() == x.data());

  const auto rows = x.rows(1, 1);  // a view of ours, not aligned
  const auto off = x.part(1, {3});
  CHECK(ul::as_eigen(rows)(1, 1) == 7);
  CHECK(ul::as_eigen(off).rows() == 1);
  CHECK(ul::as_eigen(off).cols() == 3);

  const auto scalar = ul::full<double>(device, {}, 3);
  CHECK(ul::as_eigen(scalar)(0, 0) == 3);
  const auto empty = ul::zeros<float>(device, {0, 5});
  CHECK(ul::as_eigen(empty).rows() == 0);
  CHECK(ul::as_eigen(empty).cols() == 5);
}

TEST_CASE_TEMPLATE("an Eigen expression becomes a tensor", B, ul::reference, ul::cpu) {
  B device;
  Eigen::MatrixXd a(2, 3), b(3, 2);  // columns first
  a << 1, 2, 3, 4, 5, 6;
  b << 1, 0, 0, 1, 1, 1;
  const auto x = ul::from_eigen(device, a);
  CHECK(x.shape() == ul::extents{2, 3});
  CHECK(ul::to_host(x) == std::vector<double>{1, 2, 3, 4, 5, 6});
  const auto product = ul::from_eigen(device, 2 * a * b);
  CHECK(product.shape() == ul::extents{2, 2});
  CHECK(ul::to_host(product) == std::vector<double>{8, 10, 20, 22});
  const auto squares = ul::from_eigen(device, a.array().square());
  CHECK(ul::to_host(squares) == std::vector<double>{1, 4, 9, 16, 25, 36});
  const auto block = ul::from_eigen(device, a.transpose().block(1, 0, 2, 1));
  CHECK(ul::to_host(block) == std::vector<double>{2, 3});

  const Eigen::Vector3f v(1, 2, 3);
  CHECK(ul::from_eigen(device, v).shape() == ul::extents{3});
  CHECK(ul::from_eigen(device, v.transpose()).shape() == ul::extents{3});
  CHECK(ul::to_host(ul::from_eigen(device, v.array() + 1.f)) == std::vector<float>{2, 3, 4});
  CHECK(ul::from_eigen(device, Eigen::VectorXi(0)).shape() == ul::extents{0});
}
