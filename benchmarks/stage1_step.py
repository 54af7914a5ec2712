"""The training step of stage1_step.cpp in PyTorch: the same networks, losses, clipping, AdamW and average of weights.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    /tmp/torch/bin/python benchmarks/stage1_step.py --threads 1 [--compile] [--channels-last]

Prints the number of parameters, which must be that of stage1_step, and the median time of a step.
"""
import argparse
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

B, H, LATENT = 64, 28, 8


def groups(channels):
    return math.gcd(channels // 4, 32)


class Embedding(nn.Module):  # of a log-SNR
    def __init__(self, features):
        super().__init__()
        self.register_buffer("w", 32 * torch.exp(-math.log(10000) * torch.arange(128) / 128))
        self.inner, self.outer = nn.Linear(256, features), nn.Linear(features, features)

    def forward(self, logsnr):
        a = logsnr[:, None] * self.w
        return F.silu(self.outer(F.silu(self.inner(torch.cat([a.cos(), a.sin()], 1)))))


class ResBlock(nn.Module):
    def __init__(self, c, embedding=0):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups(c), c), nn.GroupNorm(groups(c), c)
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.embed = nn.Linear(embedding, c) if embedding else None
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x, e=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.embed is not None:
            h = h + self.embed(e)[:, :, None, None]
        return x + self.conv2(F.silu(self.norm2(h)))


class RMSNorm(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(depth))

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, 1e-6)


class Block(nn.Module):  # adaLN
    def __init__(self, c, heads, dropout=0.0):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.modulation, self.qkv, self.out = nn.Linear(c, 6 * c), nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.q_norm, self.k_norm = RMSNorm(c // heads), RMSNorm(c // heads)
        self.up, self.down = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        nn.init.zeros_(self.modulation.weight)

    def forward(self, x, e):
        b, n, c = x.shape
        m = self.modulation(e)[:, None].chunk(6, -1)
        h = F.layer_norm(x, (c,)) * (1 + m[1]) + m[0]
        q, k, v = self.qkv(h).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        h = F.scaled_dot_product_attention(self.q_norm(q), self.k_norm(k), v).transpose(1, 2).reshape(b, n, c)
        x = x + m[2] * F.dropout(self.out(h), self.dropout)
        h = F.layer_norm(x, (c,)) * (1 + m[4]) + m[3]
        return x + m[5] * self.down(F.dropout(F.gelu(self.up(h), approximate="tanh"), self.dropout))


class Head(nn.Module):  # modulated norm and projection
    def __init__(self, c, out, embedding):
        super().__init__()
        self.modulation, self.out = nn.Linear(embedding, 2 * c), nn.Linear(c, out)

    def forward(self, x, e):
        shift, scale = self.modulation(e)[:, None].chunk(2, -1)
        return self.out(F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift)


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def feature_map(x, side):
    return x.transpose(1, 2).unflatten(2, (side, side))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.down = nn.Conv2d(4, 32, 1), nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.fine = nn.ModuleList(ResBlock(32) for _ in range(2))
        self.coarse = nn.ModuleList(ResBlock(64) for _ in range(3))
        self.norm, self.last = nn.GroupNorm(groups(64), 64), nn.Conv2d(64, LATENT, 3, padding=1)

    def forward(self, x):
        h = self.first(F.pixel_unshuffle(x, 2))
        for block in self.fine:
            h = block(h)
        h = self.down(h)
        for block in self.coarse:
            h = block(h)
        return self.last(F.silu(self.norm(h)))


class Prior(nn.Module):
    def __init__(self, c=96):
        super().__init__()
        self.noise, self.first, self.positions = Embedding(c), nn.Linear(LATENT, c), nn.Parameter(0.02 * torch.randn(49, c))
        self.blocks, self.head = nn.ModuleList(Block(c, 3) for _ in range(4)), Head(c, LATENT, c)

    def forward(self, u, logsnr):
        e, h = self.noise(logsnr), self.first(tokens(u)) + self.positions
        for block in self.blocks:
            h = block(h, e)
        return feature_map(self.head(h, e), 7)


class Decoder(nn.Module):
    def __init__(self, c=48, m=128):
        super().__init__()
        self.noise, self.first, self.latent = Embedding(m), nn.Conv2d(4, c, 1), nn.Linear(LATENT, m)
        self.down = nn.ModuleList(ResBlock(c, m) for _ in range(2))
        self.up = nn.ModuleList(ResBlock(c, m) for _ in range(2))
        self.merge, self.split = nn.Linear(4 * c, m), nn.Linear(m, 4 * c)
        self.positions = nn.Parameter(0.02 * torch.randn(49, m))
        self.middle, self.head = nn.ModuleList(Block(m, 4, 0.1) for _ in range(3)), Head(c, 4, m)

    def forward(self, x, logsnr, z):
        e, h = self.noise(logsnr), self.first(F.pixel_unshuffle(x, 2))
        for block in self.down:
            h = block(h, e)
        t = self.merge(tokens(F.pixel_unshuffle(h, 2))) + self.latent(tokens(z)) + self.positions
        for block in self.middle:
            t = block(t, e)
        h = h + F.pixel_shuffle(feature_map(self.split(t), 7), 2)
        for block in self.up:
            h = block(h, e)
        return F.pixel_shuffle(feature_map(self.head(tokens(h), e), 14), 2)


def noised(x, high, low, weight):  # x_t, v, log-SNR and the weight of ||v - v^||^2, at stratified times
    t = (torch.rand(1) + torch.arange(B) / B) % 1
    a, b = math.atan(math.exp(-high / 2)), math.atan(math.exp(-low / 2))
    angle = a + t * (b - a)
    logsnr, slope = -2 * torch.log(torch.tan(angle)), -2 * (b - a) / (torch.sin(angle) * torch.cos(angle))
    alpha, sigma = torch.sigmoid(logsnr).sqrt()[:, None, None, None], torch.sigmoid(-logsnr).sqrt()[:, None, None, None]
    eps = torch.randn_like(x)
    return alpha * x + sigma * eps, alpha * eps - sigma * x, logsnr, -0.5 * slope * weight(logsnr) * torch.sigmoid(logsnr)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.prior, self.decoder = Encoder(), Prior(), Decoder()

    def forward(self, x):
        z = self.encoder(x)
        s = z.detach().square().mean().sqrt().item()
        shift = 2 * math.log(s)
        u_t, v, logsnr, w = noised(z / s, 5 + shift, -10 + shift, torch.ones_like)
        loss = (w * (v - self.prior(u_t, logsnr)).square().sum((1, 2, 3))).mean()
        last = 1 / (1 + math.exp(10))
        loss = loss + 0.5 * last * z.square().sum() / B
        a, o = math.sqrt(1 / (1 + math.exp(-5))), math.sqrt(1 / (1 + math.exp(5)))
        z_0 = (a * z + o * torch.randn_like(z)) / math.sqrt(a * a * s * s + o * o)
        x_t, v, logsnr, w = noised(x, 10, -10, lambda l: 2.5 * torch.sigmoid(2 - l))
        return loss + (w * (v - self.decoder(x_t, logsnr, z_0)).square().sum((1, 2, 3))).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    torch.set_float32_matmul_precision("highest")
    model = Model()
    x = torch.randn(B, 1, H, H)
    if o.channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    parameters = list(model.parameters())
    average = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99), weight_decay=0, fused=True)
    loss_of = torch.compile(model) if o.compile else model
    times = []
    for step in range(o.steps + 3):
        start = time.perf_counter()
        optimiser.zero_grad()
        (loss_of(x) / (H * H)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        torch._foreach_lerp_(average, [p.detach() for p in parameters], 0.005)
        times.append(time.perf_counter() - start)
    median = sorted(times[3:])[o.steps // 2]
    print(f"PyTorch {torch.__version__}  {o.threads} threads{'  compiled' if o.compile else ''}"
          f"{'  channels last' if o.channels_last else ''}  {sum(p.numel() for p in parameters)} parameters"
          f"  {1e3 * median:.1f} ms  {B / median:.0f} images/s")


main()
