#include <doctest/doctest.h>

#include <ul/interop/xtensor.hpp>
#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>
#endif

#include <ul/backend/cpu.hpp>
#include <ul/backend/reference.hpp>
#include <ul/tensor/create.hpp>

namespace {

template <class X>
concept viewable = requires(X&& x) {
  ul::as_xtensor(std::forward<X>(x));
};
using float_tensor = ul::tensor<ul::reference, float>;

static_assert(viewable<float_tensor&> && !viewable<float_tensor>);
static_assert(!viewable<ul::tensor<ul::reference, ul::bf16>&>);

}  // namespace

TEST_CASE_TEMPLATE("a tensor seen as an xtensor array is the tensor itself", B, ul::reference, ul::cpu) {
  B device;
  const auto x = ul::from_host<float>(device, {2, 3, 4}, std::vector<float>(24, 1));
  auto a = ul::as_xtensor(x);
  CHECK(a.data() == x.data());
  REQUIRE(a.dimension() == 3);
  CHECK(a.shape(2) == 4);
  a(1, 2, 3) = 7;
  CHECK(ul::to_host(x)[23] == 7);
  xt::view(a, 0, xt::all(), 0) = 5;
  CHECK(ul::to_host(x)[8] == 5);
  CHECK(xt::sum(a)() == 24 + 6 + 12);
  a *= 2.f;
  CHECK(ul::to_host(x)[8] == 10);

  const auto scalar = ul::full<double>(device, {}, 3);
  CHECK(ul::as_xtensor(scalar)() == 3);
  const auto empty = ul::zeros<float>(device, {0, 5});
  CHECK(ul::as_xtensor(empty).size() == 0);
}

TEST_CASE_TEMPLATE("an xtensor expression becomes a tensor", B, ul::reference, ul::cpu) {
  B device;
  const xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
  const auto x = ul::from_xtensor(device, a);
  CHECK(x.shape() == ul::extents{2, 3});
  CHECK(ul::to_host(x) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(ul::to_host(ul::from_xtensor(device, 2 * a + 1)) == std::vector<double>{3, 5, 7, 9, 11, 13});
  CHECK(ul::to_host(ul::from_xtensor(device, xt::view(a, 1))) == std::vector<double>{4, 5, 6});
  CHECK(ul::to_host(ul::from_xtensor(device, xt::transpose(a))) == std::vector<double>{1, 4, 2, 5, 3, 6});
  CHECK(ul::from_xtensor(device, xt::xarray<int>(7)).shape() == ul::extents{});

  const xt::xarray<float, xt::layout_type::column_major> columns = {{1, 2}, {3, 4}};
  CHECK(ul::to_host(ul::from_xtensor(device, columns)) == std::vector<float>{1, 2, 3, 4});

  const xt::xarray<float> six = xt::zeros<float>({1, 1, 1, 1, 1, 1});
  CHECK_THROWS_WITH(ul::from_xtensor(device, six), "extents: rank is 6, expected at most 5");
}
