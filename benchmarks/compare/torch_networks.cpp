// The networks of networks.hpp in libtorch, and whole steps with them.

#include <torch/torch.h>

#include <cmath>
#include <cstdio>

#include "torch_cases.hpp"

namespace benchmark {

namespace {

namespace nn = torch::nn;
using torch::Tensor;

class part : public nn::Module {
 protected:
  nn::Conv2d conv(const char* name, long in, long out, long kernel = 3, long stride = 1) {
    return register_module(name, nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2)));
  }
  nn::Linear linear(const char* name, long in, long out) { return register_module(name, nn::Linear(in, out)); }
  nn::GroupNorm norm(const char* name, long channels) { return register_module(name, nn::GroupNorm(32, channels)); }
  template <class Part, class... Arguments>
  std::shared_ptr<Part> add(const std::string& name, Arguments... arguments) {
    return register_module(name, std::make_shared<Part>(arguments...));
  }
};

// q, k, v, each (B, N, C) side by side -> (B, N, C)
Tensor self_attention(const Tensor& qkv, long heads) {
  const long batch = qkv.size(0), tokens = qkv.size(1), channels = qkv.size(2) / 3, depth = channels / heads;
  const Tensor t = qkv.view({batch, tokens, 3, heads, depth}).permute({2, 0, 3, 1, 4});
  const Tensor scores = torch::matmul(t[0] * (1 / std::sqrt(static_cast<double>(depth))), t[1].transpose(-2, -1));
  return torch::matmul(torch::softmax(scores, -1), t[2]).transpose(1, 2).reshape({batch, tokens, channels});
}

struct noise_embedding : part {
  noise_embedding(long sinusoids, long features)
      : half(sinusoids / 2), in(linear("in", sinusoids, features)), out(linear("out", features, features)) {}

  Tensor forward(const Tensor& time) {
    const Tensor frequencies =
        torch::exp(torch::arange(half, torch::kFloat) * (-std::log(10000.) / static_cast<double>(half)));
    const Tensor angle = time.unsqueeze(1) * 1000 * frequencies;
    return torch::silu(out(torch::silu(in(torch::cat({angle.cos(), angle.sin()}, 1)))));
  }

  long half;
  nn::Linear in, out;
};

struct residual : part {
  residual(long in, long out, long embedding)
      : norm1(norm("norm1", in)),
        conv1(conv("conv1", in, out)),
        norm2(norm("norm2", out)),
        conv2(conv("conv2", out, out)),
        embed(linear("embed", embedding, out)) {
    if (in != out) skip = conv("skip", in, out, 1);
  }

  Tensor forward(const Tensor& x, const Tensor& e) {
    Tensor h = conv1(torch::silu(norm1(x))) + embed(e).unsqueeze(-1).unsqueeze(-1);
    h = conv2(torch::silu(norm2(h)));
    return h + (skip ? skip(x) : x);
  }

  nn::GroupNorm norm1;
  nn::Conv2d conv1;
  nn::GroupNorm norm2;
  nn::Conv2d conv2;
  nn::Linear embed;
  nn::Conv2d skip{nullptr};
};

struct image_attention : part {
  explicit image_attention(long channels)
      : before(norm("norm", channels)),
        qkv(linear("qkv", channels, 3 * channels)),
        out(linear("out", channels, channels)) {}

  Tensor forward(const Tensor& x) {
    const Tensor tokens = before(x).flatten(2).transpose(1, 2);
    return x + out(self_attention(qkv(tokens), 4)).transpose(1, 2).reshape(x.sizes());
  }

  nn::GroupNorm before;
  nn::Linear qkv, out;
};

struct denoiser : part {
  virtual Tensor forward(const Tensor& x, const Tensor& time) = 0;
};

struct u_net : denoiser {
  Tensor forward(const Tensor& x, const Tensor& time) override {
    const Tensor e = noise->forward(time);
    const Tensor fine = down1->forward(down0->forward(in(x), e), e);
    const Tensor middle = down3->forward(down2->forward(shrink0(fine), e), e);
    Tensor h = look0->forward(middle0->forward(shrink1(middle), e));
    h = look1->forward(middle1->forward(h, e));
    h = torch::cat({grow1(doubled(h)), middle}, 1);
    h = up1->forward(up0->forward(h, e), e);
    h = torch::cat({grow0(doubled(h)), fine}, 1);
    h = up3->forward(up2->forward(h, e), e);
    return out(torch::silu(last(h)));
  }

  static Tensor doubled(const Tensor& x) { return torch::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}); }

  using block = std::shared_ptr<residual>;
  std::shared_ptr<noise_embedding> noise = add<noise_embedding>("noise", 64, 256);
  nn::Conv2d in = conv("in", 3, 64);
  block down0 = add<residual>("down0", 64, 64, 256), down1 = add<residual>("down1", 64, 64, 256);
  nn::Conv2d shrink0 = conv("shrink0", 64, 64, 3, 2);
  block down2 = add<residual>("down2", 64, 128, 256), down3 = add<residual>("down3", 128, 128, 256);
  nn::Conv2d shrink1 = conv("shrink1", 128, 128, 3, 2);
  block middle0 = add<residual>("middle0", 128, 256, 256);
  std::shared_ptr<image_attention> look0 = add<image_attention>("look0", 256);
  block middle1 = add<residual>("middle1", 256, 256, 256);
  std::shared_ptr<image_attention> look1 = add<image_attention>("look1", 256);
  nn::Conv2d grow1 = conv("grow1", 256, 128);
  block up0 = add<residual>("up0", 256, 128, 256), up1 = add<residual>("up1", 128, 128, 256);
  nn::Conv2d grow0 = conv("grow0", 128, 64);
  block up2 = add<residual>("up2", 128, 64, 256), up3 = add<residual>("up3", 64, 64, 256);
  nn::GroupNorm last = norm("last", 64);
  nn::Conv2d out = conv("out", 64, 3);
};

// scale and shift, from (B, 1, C) each, on normalised rows.
Tensor modulated(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  return torch::layer_norm(x, {x.size(-1)}) * (1 + scale) + shift;
}

struct transformer_block : part {
  explicit transformer_block(long channels)
      : modulation(linear("modulation", channels, 6 * channels)),
        qkv(linear("qkv", channels, 3 * channels)),
        out(linear("out", channels, channels)),
        up(linear("up", channels, 4 * channels)),
        down(linear("down", 4 * channels, channels)) {}

  Tensor forward(const Tensor& x, const Tensor& e) {
    const auto m = modulation(e).unsqueeze(1).chunk(6, -1);
    const Tensor y = x + m[2] * out(self_attention(qkv(modulated(x, m[0], m[1])), 6));
    return y + m[5] * down(torch::gelu(up(modulated(y, m[3], m[4])), "tanh"));
  }

  nn::Linear modulation, qkv, out, up, down;
};

struct dit : denoiser {
  dit() {
    for (int i = 0; i < 6; ++i) blocks.push_back(add<transformer_block>("block" + std::to_string(i), channels));
  }

  Tensor forward(const Tensor& x, const Tensor& time) override {
    const Tensor e = noise->forward(time);
    Tensor h = in(x.flatten(2).transpose(1, 2)) + positions;
    for (const auto& b : blocks) h = b->forward(h, e);
    const auto m = modulation(e).unsqueeze(1).chunk(2, -1);
    return out(modulated(h, m[0], m[1])).transpose(1, 2).reshape(x.sizes());
  }

  static constexpr long channels = 384;
  std::shared_ptr<noise_embedding> noise = add<noise_embedding>("noise", 256, channels);
  nn::Linear in = linear("in", 8, channels);
  Tensor positions = register_parameter("positions", 0.02 * torch::randn({1, 256, channels}));
  std::vector<std::shared_ptr<transformer_block>> blocks;
  nn::Linear modulation = linear("modulation", channels, 2 * channels), out = linear("out", channels, 8);
};

constexpr double right_angle = 1.5707963267948966;

// Noise, forward, loss of the velocity, backward, Adam.
std::function<void()> training(std::shared_ptr<denoiser> net, const Tensor& x) {
  const auto optimiser = std::make_shared<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(1e-4));
  return [=] {
    const Tensor time = torch::rand({x.size(0)}), noise = torch::randn_like(x);
    const Tensor angle = (right_angle * time).view({-1, 1, 1, 1}), alpha = angle.cos(), sigma = angle.sin();
    const Tensor loss = torch::mse_loss(net->forward(alpha * x + sigma * noise, time), alpha * noise - sigma * x);
    optimiser->zero_grad();
    loss.backward();
    optimiser->step();
  };
}

// One step of DDIM by 0.02 in time.
std::function<void()> sampling(std::shared_ptr<denoiser> net, const Tensor& start) {
  return [=, z = start, time = 0.9]() mutable {
    const torch::NoGradGuard guard;
    const Tensor v = net->forward(z, torch::full({z.size(0)}, time));
    const double next = std::max(0.02, time - 0.02);
    const double alpha = std::cos(right_angle * time), sigma = std::sin(right_angle * time);
    z = std::cos(right_angle * next) * (alpha * z - sigma * v) + std::sin(right_angle * next) * (sigma * z + alpha * v);
    time = next;
  };
}

std::function<void()> step(std::shared_ptr<denoiser> net, const std::string& kind, Tensor x, at::MemoryFormat layout) {
  x = x.contiguous(layout);
  for (Tensor& p : net->parameters())
    if (p.dim() == 4) p.set_data(p.detach().contiguous(layout));
  return kind == "train" ? training(net, x) : sampling(net, x);
}

}  // namespace

std::vector<torch_setting> torch_networks(const std::string& name) {
  char kind[16] = "";
  long batch = 0;
  const auto contiguous = at::MemoryFormat::Contiguous, last = at::MemoryFormat::ChannelsLast;
  if (std::sscanf(name.c_str(), "u-net %15s batch %ld", kind, &batch) == 2) {
    const auto make = [=, k = std::string(kind)](at::MemoryFormat layout) {
      return [=] { return step(std::make_shared<u_net>(), k, torch::randn({batch, 3, 32, 32}), layout); };
    };
    return {{"contiguous", make(contiguous)}, {"channels last", make(last)}};
  }
  if (std::sscanf(name.c_str(), "dit %15s batch %ld", kind, &batch) == 2)
    return {{"contiguous", [=, k = std::string(kind)] {
               return step(std::make_shared<dit>(), k, torch::randn({batch, 8, 16, 16}), contiguous);
             }}};
  return {};
}

}  // namespace benchmark
