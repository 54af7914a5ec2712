#include <doctest/doctest.h>

#include <filesystem>

#include <ul/backend/cpu.hpp>
#include <ul/data/idx_set.hpp>
#include <ul/io/gzip.hpp>
#include <ul/metric/bits.hpp>
#include <ul/metric/classifier_file.hpp>
#include <ul/metric/feature_table.hpp>
#include <ul/metric/frechet.hpp>

using ul::extent;

TEST_CASE("the shipped classifier knows 92 % of Fashion-MNIST, and its distances tell clothes from noise") {
  ul::cpu device;
  const std::string path = UL_SOURCE_DIR "/models/fashion-classifier.safetensors";
  const auto net = ul::load_classifier<float>(device, path);
  CHECK(std::filesystem::file_size(path) <= 3 << 19);
  CHECK(net.config().image == ul::extents{28, 28, 1});
  CHECK(net.config().features == 64);

  const std::string directory = UL_SOURCE_DIR "/../shared/data/fashion-mnist-idx";
  if (!std::filesystem::exists(directory)) {
    MESSAGE("skipped: no Fashion-MNIST in " << directory);
    return;
  }
  const ul::byte_set set = ul::read_idx_set(directory, "t10k", ul::gunzip);
  const extent count = 2000;
  const auto seen = [&](extent first, extent n) {
    return ul::features_of<float>(device, net, set.extents(), n,
                                  [&](extent i, float* out) { set.read(first + i, out); });
  };
  const auto table = seen(0, count), others = seen(count, count);
  std::vector<extent> labels;
  for (extent i = 0; i < count; ++i) labels.push_back(set.label(i));
  const ul::measurement accuracy = ul::measured(ul::recognised(table.classes(), labels));
  CHECK(accuracy.value >= 0.92 - 3 * accuracy.standard_error);

  // Other pictures of the set are near, the set in negative is far.
  const auto negative = ul::features_of<float>(device, net, set.extents(), count, [&](extent i, float* out) {
    set.read(i, out);
    for (extent p = 0; p < 28 * 28; ++p) out[p] = -out[p];
  });
  const double near = ul::frechet_distance(table.values(), others.values(), table.features()),
               far = ul::frechet_distance(table.values(), negative.values(), table.features());
  CHECK(near < far / 50);
}
