// The single operations.

#include <torch/torch.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "torch_cases.hpp"

namespace benchmark {

namespace {

using torch::Tensor;
using work = std::function<void()>;

const std::pair<const char*, at::MemoryFormat> layouts[] = {{"contiguous", at::MemoryFormat::Contiguous},
                                                            {"channels last", at::MemoryFormat::ChannelsLast}};

work without_gradient(work f) {
  return [f = std::move(f)] {
    const torch::NoGradGuard guard;
    f();
  };
}

// y = f(), and back with a fixed dy.
work there_and_back(const std::vector<Tensor>& leaves, const std::function<Tensor()>& f) {
  const Tensor dy = torch::randn_like(f().detach());
  return [=] { torch::autograd::grad({f()}, leaves, {dy}); };
}

Tensor wanted(const Tensor& x) { return x.detach().requires_grad_(true); }

work gemm(long m, long n, long k) {
  const Tensor a = torch::randn({m, k}), b = torch::randn({k, n});
  Tensor c = torch::empty({m, n});
  return without_gradient([=]() mutable { torch::mm_out(c, a, b); });
}

work gemm_bias_gelu(long m, long n, long k) {
  const Tensor x = torch::randn({m, k}), weight = torch::randn({n, k}), bias = torch::randn({n});
  return without_gradient([=] { torch::gelu(torch::linear(x, weight, bias), "tanh"); });
}

std::vector<torch_setting> conv(long batch, long side, long channels, const std::string& pass) {
  std::vector<torch_setting> all;
  for (const auto& [name, layout] : layouts)
    all.push_back({name, [=, l = layout]() -> work {
                     const auto image = [&] { return torch::randn({batch, channels, side, side}).contiguous(l); };
                     const Tensor x = image(), dy = image();
                     const Tensor w = torch::randn({channels, channels, 3, 3}).contiguous(l);
                     if (pass == "forward") return without_gradient([=] { torch::conv2d(x, w, {}, 1, 1); });
                     const std::array<bool, 3> mask{pass == "data", pass == "weights", false};
                     return without_gradient([=] {
                       at::convolution_backward(dy, x, w, at::OptionalIntArrayRef(), {1, 1}, {1, 1}, {1, 1}, false,
                                                {0, 0}, 1, mask);
                     });
                   }});
  return all;
}

std::vector<torch_setting> norm_silu(long batch, long side, long channels) {
  std::vector<torch_setting> all;
  for (const auto& [name, layout] : layouts)
    all.push_back({name, [=, l = layout] {
                     const Tensor x = wanted(torch::randn({batch, channels, side, side}).contiguous(l));
                     const Tensor weight = wanted(torch::ones({channels})), bias = wanted(torch::zeros({channels}));
                     return there_and_back({x, weight, bias},
                                           [=] { return torch::silu(torch::group_norm(x, 32, weight, bias)); });
                   }});
  return all;
}

work attention(long tokens, bool back) {
  const auto draw = [&] { return wanted(torch::randn({8, 6, tokens, 64})); };
  const Tensor q = draw(), k = draw(), v = draw();
  const auto f = [=] {
    return torch::matmul(torch::softmax(torch::matmul(q * (1 / std::sqrt(64.)), k.transpose(-2, -1)), -1), v);
  };
  return back ? there_and_back({q, k, v}, f) : without_gradient([=] { f(); });
}

// 10 million parameters in as many tensors as asked for.
work adamw(long tensors) {
  std::vector<Tensor> parameters;
  for (long i = 0; i < tensors; ++i) {
    Tensor p = wanted(torch::randn({10000000 / tensors}));
    p.mutable_grad() = torch::randn_like(p.detach());
    parameters.push_back(p);
  }
  const auto optimiser = std::make_shared<torch::optim::AdamW>(parameters, torch::optim::AdamWOptions(1e-4));
  return [=] { optimiser->step(); };
}

work normals() {
  const Tensor x = torch::empty({10000000});
  return without_gradient([=] { x.normal_(); });
}

}  // namespace

std::vector<torch_setting> torch_ops(const std::string& name) {
  long a = 0, b = 0, c = 0, d = 0;
  char word[32] = "";
  if (std::sscanf(name.c_str(), "gemm %ldx%ldx%ld", &a, &b, &c) == 3) return {{"mm", [=] { return gemm(a, b, c); }}};
  if (std::sscanf(name.c_str(), "gemm+bias+gelu %ldx%ldx%ld", &a, &b, &c) == 3)
    return {{"linear and gelu", [=] { return gemm_bias_gelu(a, b, c); }}};
  if (std::sscanf(name.c_str(), "conv %ldx%ldx%ldx%ld %31s", &a, &b, &c, &d, word) == 5) return conv(a, b, d, word);
  if (std::sscanf(name.c_str(), "group norm+silu %ldx%ldx%ldx%ld", &a, &b, &c, &d) == 4) return norm_silu(a, b, d);
  if (std::sscanf(name.c_str(), "attention S%ld %31s", &a, word) == 2)
    return {{"softmax", [=, back = std::string(word) == "forward+backward"] { return attention(a, back); }}};
  if (name == "adamw 10M") return {{"one tensor", [] { return adamw(1); }}, {"40 tensors", [] { return adamw(40); }}};
  if (name == "normals 10M") return {{"normal_", normals}};
  return {};
}

}  // namespace benchmark
