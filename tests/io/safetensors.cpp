// Safetensors files, written and read back.

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include <ul/io/safetensors_reader.hpp>
#include <ul/io/safetensors_writer.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

}  // namespace

TEST_CASE("safetensors: what was written comes back, bit for bit") {
  const std::vector<float> weight{1, -0.f, std::nanf(""), 4, 5e-45f, INFINITY};
  const std::vector<double> wide{0.1};
  const std::vector<ul::bf16> half{ul::bf16(1.5f), ul::bf16(-2.f), ul::bf16(3.f)};
  const std::vector<std::uint8_t> labels{1, 2, 3};
  const std::vector<std::int64_t> none;
  const std::vector<ul::safetensors_tensor> tensors{
      ul::named_tensor("labels", labels), ul::named_tensor("b/weight", weight, {2, 3}),
      ul::named_tensor("a/wide", wide, {}), ul::named_tensor("none", none, {0, 7}), ul::named_tensor("half", half)};
  const ul::safetensors_metadata metadata{{"config", "{\"a\": \"\xc3\xa9\"}"}, {"empty", ""}};
  const ul::byte_vector bytes = ul::encode_safetensors(tensors, metadata);
  CHECK(bytes == ul::encode_safetensors(tensors, metadata));

  for (std::size_t shift = 0; shift < 4; ++shift) {  // elements at every alignment
    ul::byte_vector moved(shift);
    ul::append_bytes(moved, bytes);
    const ul::safetensors file = ul::parse_safetensors(ul::byte_view(moved).subspan(shift), "a.st");
    CHECK(file.metadata == metadata);
    REQUIRE(file.tensors.size() == 5);
    CHECK(file["b/weight"].shape == std::vector<ul::extent>{2, 3});
    const auto read = ul::values_of<float>(file["b/weight"]);
    CHECK(std::memcmp(read.data(), weight.data(), sizeof(float) * weight.size()) == 0);
    CHECK(ul::values_of<double>(file["a/wide"]) == wide);
    CHECK(file["a/wide"].shape.empty());
    CHECK(ul::values_of<ul::bf16>(file["half"]) == half);
    CHECK(ul::values_of<std::uint8_t>(file["labels"]) == labels);
    CHECK(ul::values_of<std::int64_t>(file["none"]).empty());
    CHECK(file["none"].shape == std::vector<ul::extent>{0, 7});
  }

  const ul::safetensors file = ul::parse_safetensors(bytes, "a.st");
  CHECK(file.find("weight") == nullptr);
  CHECK(error_of([&] { file["weight"]; }) == "a.st: missing tensor weight");
  CHECK(error_of([&] { ul::values_of<float>(file["half"]); }) == "half: expected F32, got BF16");
  const auto aligned = [&](const char* name, std::ptrdiff_t to) {
    return (file[name].bytes.data() - bytes.data()) % to == 0;
  };
  CHECK(aligned("a/wide", 8));
  CHECK(aligned("b/weight", 4));
  CHECK(aligned("half", 2));
}

TEST_CASE("safetensors: a file on the disk") {
  const support::scratch directory;
  const std::string path = directory / "model.safetensors";
  const std::vector<float> values{1, 2, 3};
  const std::vector<ul::safetensors_tensor> tensors{ul::named_tensor("a", values)};
  ul::write_safetensors(path, tensors, {{"format", "ul"}});
  const ul::byte_vector bytes = ul::read_file(path);
  CHECK(bytes == ul::encode_safetensors(tensors, {{"format", "ul"}}));
  CHECK(contains(error_of([&] { ul::write_safetensors("/dev/full", tensors); }), "no space left on device"));
}

TEST_CASE("safetensors: what the reader would refuse is not written") {
  const std::vector<float> values{1, 2, 3};
  const auto write_error = [](const std::vector<ul::safetensors_tensor>& tensors,
                              const ul::safetensors_metadata& m = {}) {
    return error_of([&] { ul::encode_safetensors(tensors, m); });
  };
  CHECK(write_error({ul::named_tensor("a", values, {2, 2})}) ==
        "safetensors: tensor a: 12 bytes, (2, 2) of F32 needs 16");
  CHECK(contains(write_error({ul::named_tensor("a", values, {-3})}), "shape (-3) has a negative extent"));
  CHECK(contains(write_error({ul::named_tensor("a", values, {1, 1, 1, 1, 1, 1, 1, 1, 3})}), "rank limit is 8, got 9"));
  CHECK(contains(write_error({ul::named_tensor("a", values, {ul::extent{1} << 62, 4})}), "overflows"));
  CHECK(contains(write_error({ul::named_tensor("", values)}), "the name is empty"));
  CHECK(contains(write_error({ul::named_tensor("a\n", values)}), "a\\x0a: the name has a control character"));
  CHECK(contains(write_error({ul::named_tensor("\xff", values)}), "is not UTF-8"));
  CHECK(contains(write_error({ul::named_tensor("__metadata__", values)}), "the name is reserved"));
  CHECK(contains(write_error({ul::named_tensor("a", values), ul::named_tensor("a", std::vector<double>{1})}),
                 "tensor a stands there twice"));
  CHECK(contains(write_error({}, {{"k", "1"}, {"k", "2"}}), "metadata k stands there twice"));
}

TEST_CASE("safetensors: damaged bytes give an error or a file, never anything else") {
  const std::vector<float> values{1, 2};
  const std::vector<std::int32_t> numbers{3};
  const std::vector<ul::safetensors_tensor> tensors{ul::named_tensor("w", values), ul::named_tensor("n", numbers)};
  const ul::byte_vector bytes = ul::encode_safetensors(tensors, {{"k", "v"}});
  const int refused = support::torture(bytes, [](const ul::byte_vector& damaged) {
    const ul::safetensors file = ul::parse_safetensors(damaged, "a.st");
    // What is accepted is consistent: it can be written and read again.
    CHECK(ul::parse_safetensors(ul::byte_view(ul::encode_safetensors(file.tensors, file.metadata)), "b.st")
              .tensors.size() == file.tensors.size());
  });
  // Every truncation and the added byte, and most changes of the header, are refused.
  CHECK(refused > static_cast<int>(2 * bytes.size()));
}
