#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <ul/backend/reference.hpp>
#include <ul/tensor/print.hpp>

using namespace ul;

TEST_CASE("a tensor carries its elements to the device and back") {
  reference device;
  const std::vector<float> v{1, 2, 3, 4, 5, 6};
  const auto x = from_host<float>(device, {2, 3}, v);
  CHECK(to_host(x) == v);
  CHECK(x.shape() == extents{2, 3});
  CHECK(x.rank() == 2);
  CHECK(x.size() == 6);
  CHECK(&x.device() == &device);
  CHECK(to_scalar(full<double>(device, {}, 2.5)) == 2.5);
  CHECK(to_host(zeros<std::int32_t>(device, {3})) == std::vector<std::int32_t>(3, 0));
  CHECK(to_host(zeros<float>(device, {3, 0})).empty());
  CHECK_FALSE(tensor<reference, float>());
}

TEST_CASE("views share elements, clones do not") {
  reference device;
  const auto x = from_host<float>(device, {3, 2}, std::vector<float>{0, 1, 2, 3, 4, 5});
  const auto rows = x.rows(1, 2), flat = x.reshape({6}), part = x.part(3, {2});
  CHECK(to_host(rows) == std::vector<float>{2, 3, 4, 5});
  CHECK(rows.shape() == extents{2, 2});
  CHECK(to_host(part) == std::vector<float>{3, 4});
  CHECK_FALSE(x.unique());
  const auto copy = clone(x);
  CHECK(copy.unique());
  fill(rows, 9);
  CHECK(to_host(flat) == std::vector<float>{0, 1, 9, 9, 9, 9});
  CHECK(to_host(copy) == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("casts round to nearest") {
  reference device;
  const auto x = from_host<float>(device, {3}, std::vector<float>{1, 1 + 1.0f / 512, -3.25f});
  const auto y = cast<float>(cast<bf16>(x));
  CHECK(to_host(y) == std::vector<float>{1, 1, -3.25f});
  CHECK(to_host(cast<double>(x)) == std::vector<double>{1, 1 + 1.0 / 512, -3.25});
}

TEST_CASE("noise belongs to the key, sample by sample") {
  reference device;
  const std::vector<key> keys{key(1), key(2), key(3)};
  const auto batch = normal<float>(device, {3, 5}, keys);
  const auto second = normal<float>(device, {5}, key(2));
  CHECK(to_host(batch.rows(1, 1)) == to_host(second));
  CHECK(to_host(normal<float>(device, {5}, key(2))) == to_host(second));
  CHECK(to_host(normal<float>(device, {5}, key(3))) != to_host(second));
}

TEST_CASE("a tensor prints its type, extents and ends") {
  reference device;
  CHECK(to_string(full<float>(device, {2}, 0.5)) == "float32 (2): 0.5 0.5");
  CHECK(to_string(full<bf16>(device, {}, 2)) == "bfloat16 (): 2");
  CHECK(to_string(zeros<double>(device, {0, 3})) == "float64 (0, 3):");
  CHECK(to_string(full<std::int32_t>(device, {5}, 7), 4) == "int32 (5): 7 7 ... 7 7");
  CHECK(to_string(tensor<reference, float>()) == "no tensor");
}

TEST_CASE("bad use of tensors is refused with both numbers") {
  reference device;
  const auto x = zeros<float>(device, {2, 3});
  CHECK_THROWS_WITH(x.reshape({5}), "reshape: (2, 3) has 6 elements, (5) has 5");
  CHECK_THROWS_WITH(x.rows(1, 2), "rows: [1, 3) of (2, 3) does not exist");
  CHECK_THROWS_WITH(x.rows(-1, 1), "rows: [-1, 0) of (2, 3) does not exist");
  CHECK_THROWS_WITH(x.part(4, {3}), "part: elements [4, 7) of 6 do not exist");
  CHECK_THROWS_WITH(from_host<float>(device, {2, 2}, std::vector<float>{1}),
                    "from_host: 1 values for (2, 2), expected 4");
  CHECK_THROWS_WITH(to_scalar(x), "to_scalar: (2, 3) has 6 elements, expected 1");
  CHECK_THROWS_WITH(normal<float>(device, {2, 3}, std::vector<key>{key(1)}),
                    "normal: 1 keys for (2, 3), expected one for each entry of the leading axis");
  CHECK_THROWS_WITH((tensor<reference, double>(device, {std::numeric_limits<extent>::max() / 4})),
                    "tensor: 2305843009213693951 x 8 overflows");
}
