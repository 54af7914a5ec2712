"""The networks of networks.hpp in PyTorch."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def self_attention(qkv, heads):
    batch, tokens, channels = qkv.shape
    q, k, v = qkv.view(batch, tokens, 3, heads, channels // 3 // heads).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, channels // 3)


class NoiseEmbedding(nn.Module):
    def __init__(self, sinusoids, features):
        super().__init__()
        self.half = sinusoids // 2
        self.inner, self.outer = nn.Linear(sinusoids, features), nn.Linear(features, features)

    def forward(self, t):
        w = torch.exp(torch.arange(self.half, dtype=torch.float32) * (-math.log(10000) / self.half))
        a = t[:, None] * 1000 * w
        return F.silu(self.outer(F.silu(self.inner(torch.cat([a.cos(), a.sin()], 1)))))


class Residual(nn.Module):
    def __init__(self, inner, outer):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, inner), nn.Conv2d(inner, outer, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(32, outer), nn.Conv2d(outer, outer, 3, padding=1)
        self.embed = nn.Linear(256, outer)
        self.skip = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x))) + self.embed(e)[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + self.skip(x)


class ImageAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.out(self_attention(self.qkv(tokens), 4)).transpose(1, 2).reshape(x.shape)


class UNet(nn.Module):
    picture = (3, 32, 32)

    def __init__(self):
        super().__init__()
        self.noise, self.inner = NoiseEmbedding(64, 256), nn.Conv2d(3, 64, 3, padding=1)
        self.down = nn.ModuleList(Residual(*c) for c in [(64, 64), (64, 64), (64, 128), (128, 128)])
        self.shrink = nn.ModuleList(nn.Conv2d(c, c, 3, stride=2, padding=1) for c in [64, 128])
        self.middle = nn.ModuleList([Residual(128, 256), Residual(256, 256)])
        self.look = nn.ModuleList(ImageAttention(256) for _ in range(2))
        self.grow = nn.ModuleList(nn.Conv2d(2 * c, c, 3, padding=1) for c in [128, 64])
        self.up = nn.ModuleList(Residual(*c) for c in [(256, 128), (128, 128), (128, 64), (64, 64)])
        self.norm, self.outer = nn.GroupNorm(32, 64), nn.Conv2d(64, 3, 3, padding=1)

    def forward(self, x, t):
        e = self.noise(t)
        fine = self.down[1](self.down[0](self.inner(x), e), e)
        coarse = self.down[3](self.down[2](self.shrink[0](fine), e), e)
        h = self.shrink[1](coarse)
        for block, look in zip(self.middle, self.look):
            h = look(block(h, e))
        for i, skip in enumerate([coarse, fine]):
            h = torch.cat([self.grow[i](F.interpolate(h, scale_factor=2.0)), skip], 1)
            h = self.up[2 * i + 1](self.up[2 * i](h, e), e)
        return self.outer(F.silu(self.norm(h)))


def modulated(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.modulation, self.qkv, self.out = nn.Linear(c, 6 * c), nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.up, self.down = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)

    def forward(self, x, e):
        m = self.modulation(e)[:, None].chunk(6, -1)
        y = x + m[2] * self.out(self_attention(self.qkv(modulated(x, m[0], m[1])), 6))
        return y + m[5] * self.down(F.gelu(self.up(modulated(y, m[3], m[4])), approximate="tanh"))


class DiT(nn.Module):
    picture = (8, 16, 16)

    def __init__(self, c=384):
        super().__init__()
        self.noise, self.inner = NoiseEmbedding(256, c), nn.Linear(8, c)
        self.positions = nn.Parameter(0.02 * torch.randn(1, 256, c))
        self.blocks = nn.ModuleList(Block(c) for _ in range(6))
        self.modulation, self.outer = nn.Linear(c, 2 * c), nn.Linear(c, 8)

    def forward(self, x, t):
        e = self.noise(t)
        h = self.inner(x.flatten(2).transpose(1, 2)) + self.positions
        for block in self.blocks:
            h = block(h, e)
        m = self.modulation(e)[:, None].chunk(2, -1)
        return self.outer(modulated(h, m[0], m[1])).transpose(1, 2).reshape(x.shape)
