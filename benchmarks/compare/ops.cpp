// Single operations, as a user records and differentiates them.

#include <ul/grad/apply.hpp>
#include <ul/op/attention.hpp>
#include <ul/op/group_norm.hpp>
#include <ul/train/adam.hpp>

#include "cases.hpp"

namespace benchmark {

namespace {

using tensor = ul::tensor<ul::cpu, float>;

tensor normals(ul::cpu& device, const ul::extents& shape, std::uint64_t seed) {
  return ul::normal<float>(device, shape, ul::key(seed));
}

// f(variables...), and back with a given gradient of the result.
template <class F, class... X>
void there_and_back(const F& f, const tensor& dy, const X&... x) {
  ul::tape<ul::cpu> tape;
  tape.backward(f(tape.watch(x)...), dy);
}

void group_norm(const contest& o, long batch, long side, long channels) {
  const std::string name = "group norm+silu " + std::to_string(batch) + "x" + std::to_string(side) + "x" +
                           std::to_string(side) + "x" + std::to_string(channels);
  if (!o.all.wants(name)) return;
  const tensor x = normals(o.device, {batch, side, side, channels}, 1), dy = normals(o.device, x.shape(), 2);
  const tensor weight = ul::full<float>(o.device, {channels}, 1), bias = ul::zeros<float>(o.device, {channels});
  const auto f = [](const auto& v, const auto& w, const auto& b) {
    return ul::group_norm(v, w, b, {.groups = 32, .act = ul::activation::silu});
  };
  const auto ours = [&] { there_and_back(f, dy, x, weight, bias); };
  o.all.run(name, o.threads, o.held_to({3, 4}, {}), ours, o.libtorch.works(name, o.threads, "channels last"));
  o.all.run(name, o.threads, o.held_to({1.5, 2}, {}), ours, o.libtorch.works(name, o.threads, "contiguous"));
  o.all.run(name, o.threads, {1.0}, ours, o.pytorch.works(name, o.threads));
}

// Batch 8, 6 heads of depth 64.
void attention(const contest& o, long tokens) {
  const std::string name = "attention S" + std::to_string(tokens);
  const ul::extents shape{8, tokens, 6 * 64};
  const tensor q = normals(o.device, shape, 1), k = normals(o.device, shape, 2), v = normals(o.device, shape, 3);
  const tensor dy = normals(o.device, shape, 4);
  const auto f = [](const auto& a, const auto& b, const auto& c) { return ul::attention(a, b, c, {.heads = 6}); };
  if (o.all.wants(name + " forward"))
    o.against_torch(name + " forward", o.held_to({1.2, 1.6}, {}), {1.0}, [&] { f(q, k, v); });
  if (o.all.wants(name + " forward+backward"))
    o.against_torch(name + " forward+backward", o.held_to({1.1, 1.35}, {}), {1.0},
                    [&] { there_and_back(f, dy, q, k, v); });
}

constexpr ul::extent ten_million = 10'000'000;

void adamw(const contest& o) {
  const std::string name = "adamw 10M";
  if (!o.all.wants(name)) return;
  ul::parameters<ul::cpu, float> p(o.device);
  p.root().declare("w", {ten_million}, ul::normal_init(1));
  p.allocate(ul::key(1));
  p.zero_gradient();
  o.device.normal(p.gradient().data(), ten_million, ul::key(2), 0);
  ul::adam<ul::cpu, float> optimiser(p, {.decay = 0.01});
  o.against_torch(name, o.held_to({1.5, 2.5}, {}), {0.95}, [&] { optimiser.step({.rate = 1e-4}); });
}

void random_numbers(const contest& o) {
  const std::string name = "normals 10M";
  if (!o.all.wants(name)) return;
  const tensor x(o.device, {ten_million});
  o.against_torch(name, o.held_to(o.threads == 1 ? bar{4, 8} : bar{8, 15}, {}), {0.95},
                  [&] { o.device.normal(x.data(), x.size(), ul::key(1), 0); });
}

}  // namespace

void compare_ops(const contest& o) {
  group_norm(o, 16, 64, 64);
  group_norm(o, 32, 32, 64);
  group_norm(o, 16, 32, 128);
  group_norm(o, 16, 16, 256);
  attention(o, 256);
  attention(o, 1024);
  adamw(o);
  random_numbers(o);
}

}  // namespace benchmark
