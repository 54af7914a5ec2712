#include <doctest/doctest.h>

#include <ul/backend/reference.hpp>
#include <ul/io/parameters_file.hpp>

#include "support.hpp"

namespace {

using support::contains;
using support::error_of;

template <class T>
ul::parameters<ul::reference, T> network(ul::reference& device, std::uint64_t seed) {
  ul::parameters<ul::reference, T> p(device);
  p.root().declare("first/weight", {2, 3}, ul::normal_init(1));
  p.root().declare("first/bias", {3}, ul::normal_init(1));
  p.root().declare("scale", {}, ul::normal_init(1));
  p.allocate(ul::key(seed));
  return p;
}

template <class S, class T>
ul::byte_vector encode(const ul::parameters<ul::reference, T>& p, const std::string& prefix = "") {
  ul::parameter_tensors<S> tensors;
  tensors.add(p, p.master(), prefix);
  return ul::encode_safetensors(tensors.list());
}

template <class T>
std::string load_error(ul::parameters<ul::reference, T>& p, const ul::byte_vector& bytes,
                       const ul::load_options& o = {}) {
  return error_of([&] { ul::load_parameters(p, ul::parse_safetensors(bytes, "m.st"), o); });
}

template <class X>
bool same(const X& a, const X& b) {
  return to_host(a) == to_host(b);
}

}  // namespace

TEST_CASE("parameters: a file gives back every value, and the shadow of a bf16 model") {
  ul::reference device;
  const auto a = network<float>(device, 1);
  auto b = network<float>(device, 2);
  REQUIRE(!same(a.master(), b.master()));
  CHECK(load_error(b, encode<float>(a)) == "no error");
  CHECK(same(a.master(), b.master()));

  const auto narrow = network<ul::bf16>(device, 1);
  auto other = network<ul::bf16>(device, 2);
  CHECK(load_error(other, encode<float>(narrow)) == "no error");
  CHECK(same(narrow.master(), other.master()));
  CHECK(same(narrow.value(), other.value()));

  const ul::byte_vector bytes = encode<float>(a);
  const ul::safetensors file = ul::parse_safetensors(bytes, "m.st");
  CHECK(file.tensors.size() == 3);
  CHECK(file["first/weight"].shape == std::vector<ul::extent>{2, 3});
  const auto host = to_host(a.part(a.master(), a.entries()[1]));
  CHECK(ul::values_of<float>(file["first/bias"]) == host);
}

TEST_CASE("parameters: two stores share a file by prefixes") {
  ul::reference device;
  const auto a = network<float>(device, 1), b = network<float>(device, 2);
  ul::parameter_tensors<float> tensors;
  tensors.add(a, a.master(), "a/");
  tensors.add(b, b.master(), "b/");
  const ul::byte_vector bytes = ul::encode_safetensors(tensors.list());
  auto p = network<float>(device, 3);
  CHECK(load_error(p, bytes, {.prefix = "b/"}) == "no error");
  CHECK(same(p.master(), b.master()));
  CHECK(load_error(p, bytes, {.prefix = "a/"}) == "no error");
  CHECK(same(p.master(), a.master()));
  CHECK(load_error(p, bytes) == "m.st: missing tensor first/weight");
  CHECK(load_error(p, bytes, {.prefix = "c/"}) == "m.st: missing tensor c/first/weight");
}

TEST_CASE("parameters: other floating types are converted when that is asked for") {
  ul::reference device;
  const auto a = network<float>(device, 1);
  auto p = network<float>(device, 2);
  CHECK(load_error(p, encode<ul::fp16>(a)) == "m.st: tensor first/weight: expected F32, got F16");
  CHECK(load_error(p, encode<double>(a), {.types = ul::type_match::floating}) == "no error");
  CHECK(same(p.master(), a.master()));
  CHECK(load_error(p, encode<ul::bf16>(a), {.types = ul::type_match::floating}) == "no error");
  const auto exact = to_host(a.master()), rounded = to_host(p.master());
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rounded[i] == static_cast<float>(ul::bf16(exact[i])));
  CHECK(load_error(p, encode<ul::fp16>(a), {.types = ul::type_match::floating}) == "no error");
  CHECK(to_host(p.master())[0] == static_cast<float>(ul::fp16(exact[0])));
}

TEST_CASE("parameters: every way in which a file does not fit has its error, and changes nothing") {
  ul::reference device;
  auto p = network<float>(device, 1);
  const auto before = to_host(p.master());
  const std::vector<float> one{1}, three{1, 2, 3}, six{1, 2, 3, 4, 5, 6}, bad{1, 2, 3, 4, NAN, 6};
  const std::vector<std::int32_t> integers{1, 2, 3};
  const ul::safetensors_tensor weight = ul::named_tensor("first/weight", six, {2, 3}),
                               bias = ul::named_tensor("first/bias", three), scale = ul::named_tensor("scale", one, {});
  const auto with = [&](const std::vector<ul::safetensors_tensor>& tensors, const ul::load_options& o = {}) {
    return load_error(p, ul::encode_safetensors(tensors), o);
  };
  CHECK(with({weight, scale}) == "m.st: missing tensor first/bias");
  CHECK(with({weight, bias, scale, ul::named_tensor("second", one)}) == "m.st: unexpected tensor second");
  CHECK(with({ul::named_tensor("first/weight", six, {3, 2}), bias, scale}) ==
        "m.st: tensor first/weight: expected (2, 3), got (3, 2)");
  CHECK(with({weight, bias, ul::named_tensor("scale", one)}) == "m.st: tensor scale: expected (), got (1)");
  const ul::safetensors_tensor whole = ul::named_tensor("first/bias", integers);
  CHECK(with({weight, whole, scale}) == "m.st: tensor first/bias: expected F32, got I32");
  CHECK(with({weight, whole, scale}, {.types = ul::type_match::floating}) ==
        "m.st: tensor first/bias: expected F32, got I32");
  CHECK(with({ul::named_tensor("first/weight", bad, {2, 3}), bias, scale}) ==
        "m.st: tensor first/weight: element 4 is nan, expected a finite number");
  CHECK(to_host(p.master()) == before);
  CHECK(with({weight, bias, scale}) == "no error");
  CHECK(to_host(p.master()) != before);

  const auto smaller = ul::zeros<float>(device, {3});
  ul::parameter_tensors<float> tensors;
  CHECK(contains(error_of([&] { tensors.add(p, smaller); }), "3 values, the parameters have 48"));
}
