#include <doctest/doctest.h>

#include <cstdio>

#include <ul/backend/reference.hpp>
#include <ul/grad/check.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/classifier_file.hpp>
#include <ul/metric/feature_table.hpp>
#include <ul/op/cross_entropy.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/adam.hpp>

namespace {

using namespace ul;

const classifier_config tiny{
    .image = {4, 8, 2}, .classes = 3, .patch = 2, .channels = {4, 8}, .blocks = 1, .groups = 2, .features = 6};

struct model {
  reference device;
  parameters<reference, double> store{device};
  classifier<reference, double> net;

  explicit model(const classifier_config& c = tiny) : net(store.root(), c) { store.allocate(key(3)); }

  // No zero of the start may hide a mistake.
  void shake() {
    std::uint64_t i = 0;
    for (const parameter_entry& e : store.entries())
      initialise(normal_init(0.4), key(17).fold_in(i++), store.part(store.value(), e).data(), e.shape.size());
  }
  byte_vector encoded(const json& config) const {
    parameter_tensors<double> tensors;
    tensors.add(store, store.master());
    return encode_safetensors(tensors.list(), {{"format", "ul.classifier"}, {"config", to_text(config)}});
  }
};

std::string load_error(reference& device, const byte_vector& bytes) {
  try {
    load_classifier<double>(device, bytes, "c.st");
  } catch (const error& e) {
    CHECK(e.kind() == error_kind::input);
    return e.what();
  }
  return "no error";
}

// Noisy pictures (8, 8, 1) of a row, a column or a square somewhere.
std::vector<float> shapes(extent count, key k) {
  std::vector<float> all;
  for (extent i = 0; i < count; ++i) {
    const key own = k.fold_in(static_cast<std::uint64_t>(i));
    std::vector<float> x(64);
    fill_normal(x.data(), 64, own.split(0), 0);
    const auto words = own.split(1).block(0);
    const extent row = words.word[0] % 7, column = words.word[1] % 7;
    for (extent y = 0; y < 8; ++y)
      for (extent z = 0; z < 8; ++z) {
        const bool bright = i % 3 == 0 ? y == row : i % 3 == 1 ? z == column : y / 2 == row / 2 && z / 2 == column / 2;
        float& v = x[static_cast<std::size_t>(y * 8 + z)];
        v = 0.1f * v + (bright ? 1 : -1);
      }
    all.insert(all.end(), x.begin(), x.end());
  }
  return all;
}

}  // namespace

TEST_CASE("classifier: shapes, and gradients of every parameter") {
  model m;
  m.shake();
  const auto x = normal<double>(m.device, {2, 4, 8, 2}, key(1));
  const auto seen = m.net(x);
  CHECK(seen.features.shape() == extents{2, 6});
  CHECK(seen.logits.shape() == extents{2, 3});

  const auto both = [&](const auto& v) {
    const auto y = m.net(v);
    return add(sum(y.logits), sum(mul(y.features, y.features)));
  };
  CHECK_NOTHROW(gradient_check({.absolute = 1e-6, .stride = 3}).of_parameters(m.store, both, x));
  CHECK_NOTHROW(gradient_check({.absolute = 1e-6, .stride = 3}).inputs(both, x));
  for (const parameter_entry& e : m.store.entries()) {
    CAPTURE(e.path);
    double size = 0;
    for (const double g : to_host(m.store.part(m.store.gradient(), e))) size += std::abs(g);
    CHECK(size > 0);
  }
  CHECK_THROWS_WITH(m.net(normal<double>(m.device, {2, 8, 4, 2}, key(1))),
                    "classifier: x is (2, 8, 4, 2), expected (B, H, W, C) with (4, 8, 2)");
}

TEST_CASE("classifier: three classes of shapes are learnt") {
  model m({.image = {8, 8, 1}, .classes = 3, .channels = {8, 8}, .groups = 2, .features = 5});
  adam<reference, double> optimiser(m.store);
  const auto labels_of = [](extent count) {
    std::vector<extent> labels;
    for (extent i = 0; i < count; ++i) labels.push_back(i % 3);
    return labels;
  };
  const auto share = [&] {
    const auto table = features_of<double>(m.device, m.net, shapes(60, key(9)), {60, 8, 8, 1});
    CHECK(table.features() == 5);
    return measured(recognised(table.classes(), labels_of(60))).value;
  };
  CHECK(share() < 0.7);
  const auto numbers = labels_of(30);
  const std::vector<std::int32_t> labels(numbers.begin(), numbers.end());
  for (std::uint64_t step = 0; step < 80; ++step) {
    m.store.zero_gradient();
    tape<reference> t;
    const auto pixels = shapes(30, key(8).fold_in(step));
    const auto x = cast<double>(from_host<float>(m.device, {30, 8, 8, 1}, pixels));
    const auto loss = mean(cross_entropy(m.net(t.constant(x)).logits, from_host<std::int32_t>(m.device, {30}, labels)));
    t.backward(loss);
    optimiser.step({.rate = 1e-2});
  }
  CHECK(share() > 0.95);
}

TEST_CASE("classifier: a file gives back config and values") {
  model m;
  m.shake();
  const std::string path = "classifier-test.safetensors";
  save_classifier(path, tiny, m.store, m.store.master());
  const auto back = load_classifier<double>(m.device, path);
  CHECK(back.config().image == tiny.image);
  CHECK(back.config().channels == tiny.channels);
  const auto x = normal<double>(m.device, {2, 4, 8, 2}, key(1));
  CHECK(to_host(back(x).logits.value()) == to_host(m.net(x).logits.value()));
  CHECK(to_host(back(x).features.value()) == to_host(m.net(x).features.value()));
  const byte_vector bytes = read_file(path);
  CHECK(to_host(load_classifier<double>(m.device, bytes, "c.st")(x).logits.value()) ==
        to_host(m.net(x).logits.value()));
  std::remove(path.c_str());
}

TEST_CASE("classifier: files and configs that do not fit") {
  model m;
  const json good = to_json(tiny);
  const auto with = [&](const char* key, json value) {
    json changed = good;
    changed.set(key, std::move(value));
    return load_error(m.device, m.encoded(changed));
  };
  CHECK(load_error(m.device, m.encoded(good)) == "no error");
  parameter_tensors<double> tensors;
  tensors.add(m.store, m.store.master());
  CHECK(load_error(m.device, encode_safetensors(tensors.list())) ==
        "c.st: no file of a classifier: its metadata have no config in the format ul.classifier");
  CHECK(with("chanels", 1) == "c.st: config: unknown key chanels, did you mean channels?");
  CHECK(with("classes", "ten") == "c.st: config: classes must be an integer, got string");
  CHECK(with("classes", 0) == "c.st: config: classifier: classes is 0, expected at least 1");
  CHECK(with("patch", 3) == "c.st: config: classifier: patch is 3, expected a divisor of the sides of (4, 8, 2)");
  CHECK(with("image", json::array{4, 8}) == "c.st: config: image has 2 extents, expected (H, W, C)");
  CHECK(with("channels", json::array{4, 7}) ==
        "c.st: config: classifier: channels has an entry 7, which does not divide into 2 groups");
  CHECK(with("channels", json::array{}) ==
        "c.st: config: classifier: channels has 0 entries, expected 1 to 16, one for each stage");
  CHECK(with("blocks", 2) == "c.st: missing tensor stage/0/block/1/norm1/weight");
  CHECK(with("classes", 4) == "c.st: tensor out/weight: expected (6, 4), got (6, 3)");
  const std::string large = with("channels", json::array{4, 1 << 20});
  CHECK(large.find("bytes cannot hold the 1979") != std::string::npos);
  CHECK(with("channels", json::array{4, std::int64_t{1} << 40}).find("overflow") != std::string::npos);
}

TEST_CASE("feature table: what a network says of images, in any batches") {
  reference device;
  std::vector<float> images(7 * 2 * 2);
  fill_normal(images.data(), 28, key(1), 0);
  // The four pixels as features; the first three as logits too.
  const auto plain = [](const tensor<reference, float>& x) { return x.reshape({x.shape()[0], 4}); };
  const auto whole = features_of<float>(device, plain, images, {7, 2, 2, 1});
  CHECK(whole.count() == 7);
  CHECK(whole.features() == 4);
  CHECK(whole.classes().empty());
  CHECK(std::vector<float>(whole.values().begin(), whole.values().end()) == images);

  struct both {
    tensor<reference, float> features, logits;
  };
  const auto classifying = [](const tensor<reference, float>& x) {
    return both{x.reshape({x.shape()[0], 4}), x.reshape({x.shape()[0], 4})};
  };
  const auto parts = features_of<float>(device, classifying, images, {7, 2, 2, 1}, 3);
  CHECK(std::vector<float>(parts.values().begin(), parts.values().end()) == images);
  REQUIRE(parts.classes().size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    const auto row = images.begin() + static_cast<std::ptrdiff_t>(4 * i);
    CHECK(parts.classes()[i] == std::max_element(row, row + 4) - row);
  }
  std::vector<extent> asked(parts.classes().begin(), parts.classes().end());
  asked[2] = 9;
  CHECK(recognised(parts.classes(), asked).mean() == doctest::Approx(6. / 7));

  feature_table table = whole;
  const auto three = from_host<float>(device, {1, 3}, std::vector<float>{1, 2, 3});
  CHECK_THROWS_WITH(table.add(three), "feature_table: 3 features, those before have 4");
  const auto four = from_host<float>(device, {1, 4}, std::vector<float>{1, 2, 3, NAN});
  CHECK_THROWS_WITH(table.add(four), "feature_table: features have a value of nan");
  const auto good = from_host<float>(device, {1, 4}, std::vector<float>{1, 2, 3, 4});
  CHECK_THROWS_WITH(table.add(both{good, good}), "feature_table: 1 of 1 images have logits, before 0 of 7");
  CHECK(table.count() == 7);
  table.add(good);
  CHECK(table.count() == 8);
  CHECK_THROWS_WITH(features_of<float>(device, plain, images, {6, 2, 2, 1}),
                    "features_of: 28 values, expected images (6, 2, 2, 1), (N, H, W, C)");
  CHECK_THROWS_WITH(recognised(parts.classes(), {}), "recognised: 7 classes seen, 0 asked for");
}
