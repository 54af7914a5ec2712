// Whole networks: a step of training, a step of sampling, and the memory training takes.

#include "networks.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <ul/core/uniform.hpp>
#include <ul/diffusion/prediction_error.hpp>
#include <ul/diffusion/tensor_state.hpp>
#include <ul/op/combine.hpp>
#include <ul/op/reduce.hpp>
#include <ul/train/adam.hpp>

#include "cases.hpp"
#include "memory.hpp"

namespace benchmark {

namespace {

using tensor = ul::tensor<ul::cpu, float>;
constexpr double right_angle = std::numbers::pi / 2;

// A network with the data of its steps.
template <class Network, class Options>
class stepped {
 public:
  stepped(ul::cpu& device, const Options& o, const ul::extents& shape)
      : device_(device),
        parameters_(device),
        network_(parameters_.root(), o),
        x_(ul::normal<float>(device, shape, ul::key(1))) {
    parameters_.allocate(ul::key(2));
  }

  // Noise, forward, loss of the velocity, backward, Adam.
  void train() {
    if (!optimiser_) optimiser_.emplace(parameters_);
    parameters_.zero_gradient();
    const ul::key k = ul::key(3).fold_in(steps_++);
    const tensor noise = ul::normal<float>(device_, x_.shape(), k.split(0));
    std::vector<float> times;
    for (ul::extent i = 0; i < batch(); ++i)
      times.push_back(ul::uniform_at<float>(k.split(1), static_cast<std::uint64_t>(i)));
    const tensor alpha = each(times, [](double t) { return std::cos(right_angle * t); });
    const tensor minus_sigma = each(times, [](double t) { return -std::sin(right_angle * t); });
    const tensor sigma = each(times, [](double t) { return std::sin(right_angle * t); });
    const tensor weight = ul::full<float>(device_, {batch()}, 1 / static_cast<double>(x_.size()));
    ul::tape<ul::cpu> tape;
    const auto input = tape.constant(ul::combine(alpha, x_, sigma, noise));
    const auto output = network_(input, {.noise = each(times, [](double t) { return t; })});
    tape.backward(ul::sum(ul::prediction_error(output, x_, noise, minus_sigma, alpha, weight)));
    optimiser_->step({.rate = 1e-4});
  }

  // One step of DDIM by 0.02 in time.
  void sample() {
    const double next = (std::max)(0.02, time_ - 0.02), turn = right_angle * (time_ - next);
    const auto v = network_(x_, {.noise = ul::full<float>(device_, {batch()}, time_)});
    x_ = ul::combine(std::cos(turn), x_, -std::sin(turn), v.value());
    time_ = next;
  }

 private:
  ul::extent batch() const { return x_.shape()[0]; }
  template <class F>
  tensor each(const std::vector<float>& times, const F& f) const {
    std::vector<float> values;
    for (const float t : times) values.push_back(static_cast<float>(f(static_cast<double>(t))));
    return ul::from_host<float>(device_, {batch()}, values);
  }

  ul::cpu& device_;
  ul::parameters<ul::cpu, float> parameters_;
  Network network_;
  tensor x_;
  std::optional<ul::adam<ul::cpu, float>> optimiser_;
  std::uint64_t steps_ = 0;
  double time_ = 0.9;
};

struct u_net : stepped<ul::nn::u_net<ul::cpu, float>, ul::nn::u_net_options> {
  u_net(ul::cpu& device, long batch) : stepped(device, peer_u_net(), {batch, 32, 32, 3}) {}
};
struct dit : stepped<ul::nn::vit<ul::cpu, float>, ul::nn::vit_options> {
  dit(ul::cpu& device, long batch) : stepped(device, peer_vit(), {batch, 16, 16, 8}) {}
};

template <class Network>
void steps(const contest& o, const std::string& network, long batch, bar training, bar sampling, bar sampling_one) {
  const bar current{1.0, 1.15}, with_avx2{1.1, 1.4};
  const auto compare = [&](const std::string& kind, long count, bar b, const auto& step) {
    const std::string name = network + " " + kind + " batch " + std::to_string(count);
    if (!o.all.wants(name)) return;
    Network n(o.device, count);
    std::optional<ul::kept_weights<ul::cpu>> kept;  // as a sampler does over all its steps
    if (kind == "sample") kept.emplace(o.device);
    o.against_torch(name, o.held_to(b, with_avx2), current, [&] { step(n); });
  };
  compare("train", batch, training, [](Network& n) { n.train(); });
  compare("sample", batch, sampling, [](Network& n) { n.sample(); });
  compare("sample", 1, sampling_one, [](Network& n) { n.sample(); });
}

// Against the setting of libtorch that takes least. Here smaller is better: MiB, and ours / the peer's.
void memory(const contest& o, const std::string& network) {
  const std::string name = "memory of " + network;
  const auto uses =
      o.all.wants(name) ? o.libtorch.memory(network, o.threads) : std::vector<peer_programs::memory_use>();
  const auto least = std::min_element(uses.begin(), uses.end(), [](auto& x, auto& y) { return x.mib < y.mib; });
  if (least == uses.end()) return;
  const std::vector<std::string> again{"/proc/self/exe", "--memory-of", network, "--threads",
                                       std::to_string(o.threads)};
  const double ours = std::stod(child(again, {}).answer());
  o.all.line(name, o.threads, ours, least->peer, least->mib, ours / least->mib, {0.7, 0.5});
}

const char* const u_net_training = "u-net train batch 32";
const char* const dit_training = "dit train batch 16";

}  // namespace

void compare_networks(const contest& o) {
  steps<u_net>(o, "u-net", 32, {1.2, 1.8}, {1.2, 1.8}, {1.2, 1.5});
  steps<dit>(o, "dit", 16, {1.1, 1.3}, {1.1, 1.35}, {1.1, 1.4});
  memory(o, u_net_training);
  memory(o, dit_training);
}

double network_memory(const std::string& name, int threads) {
  ul::cpu device({.threads = threads});
  if (name == u_net_training) {
    u_net n(device, 32);
    return peak_mib([&] { n.train(); });
  }
  if (name == dit_training) {
    dit n(device, 16);
    return peak_mib([&] { n.train(); });
  }
  ul::fail("compare: no training of ", name.c_str());
}

}  // namespace benchmark
