// What a device derives from weights is kept as long as a promise lives, and used for nothing else.

#include <doctest/doctest.h>

#include <ul/backend/cpu.hpp>
#include <ul/op/conv.hpp>

using namespace ul;

namespace {

std::vector<float> convolved(const tensor<cpu, float>& x, const tensor<cpu, float>& weight, bool lasting) {
  return to_host(conv(x, weight, {.lasting = lasting}));
}
void overwrite(tensor<cpu, float>& x, std::uint64_t seed) { x.device().normal(x.data(), x.size(), key(seed), 0); }

}  // namespace

TEST_CASE("kept_weights: the same bits, from weights that are transformed once") {
  cpu device({.threads = 1});
  const auto x = normal<float>(device, {2, 8, 8, 16}, key(1));
  auto weight = normal<float>(device, {3, 3, 16, 32}, key(2));
  const std::vector<float> first = convolved(x, weight, true);
  const extent before = device.memory().bytes_in_use();
  {
    const kept_weights kept(device);
    CHECK(convolved(x, weight, true) == first);
    const extent held = device.memory().bytes_in_use();
    CHECK(held > before);
    {
      const kept_weights inner(device);
      CHECK(convolved(x, weight, true) == first);
    }
    CHECK(device.memory().bytes_in_use() == held);
    // Kept means kept: whoever breaks the promise gets the old weights. Others' weights are read anew.
    overwrite(weight, 3);
    CHECK(convolved(x, weight, true) == first);
    CHECK(convolved(x, weight, false) != first);
    CHECK(device.memory().bytes_in_use() == held);
  }
  CHECK(device.memory().bytes_in_use() == before);
  CHECK(convolved(x, weight, true) == convolved(x, weight, false));
}

TEST_CASE("kept_weights: one device's promise is not another's") {
  cpu device({.threads = 1}), other({.threads = 1});
  const kept_weights outer(device);
  const auto x = normal<float>(device, {1, 8, 8, 16}, key(1)), y = normal<float>(other, {1, 8, 8, 16}, key(1));
  auto weight = normal<float>(device, {3, 3, 16, 16}, key(2)), same = normal<float>(other, {3, 3, 16, 16}, key(2));
  const std::vector<float> first = convolved(x, weight, true);
  const extent held = other.memory().bytes_in_use();
  CHECK(convolved(y, same, true) == first);
  CHECK(other.memory().bytes_in_use() == held);
  {
    const kept_weights inner(other);
    CHECK(convolved(y, same, true) == first);
    CHECK(other.memory().bytes_in_use() > held);
  }
  overwrite(weight, 3);
  CHECK(convolved(x, weight, true) == first);
}
