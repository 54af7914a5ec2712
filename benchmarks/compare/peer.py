"""The work of current PyTorch for `compare`, which starts this program and speaks to it as child.hpp says.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy
    compare --python /tmp/torch/bin/python
"""
import gc
import math
import os
import re
import sys
import time

# The answers' own way out, so that nothing else is printed into them.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from peer_networks import DiT, UNet

torch.set_float32_matmul_precision("highest")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
EAGER = {"eager": lambda f: f}
BOTH = {**EAGER, "compiled": torch.compile}


# The single operations. Each gives a dictionary: the name of a setting -> what makes its work.


def there_and_back(leaves, f):
    dy = torch.randn_like(f(*leaves))
    return lambda: torch.autograd.grad(f(*leaves), leaves, dy)


def without_gradient(f):
    return torch.no_grad()(f)


def gemm(m, n, k):
    def make():
        a, b, c = torch.randn(m, k), torch.randn(k, n), torch.empty(m, n)
        return without_gradient(lambda: torch.mm(a, b, out=c))

    return {"mm": make}


def gemm_bias_gelu(m, n, k):
    def make(how):
        x, weight, bias = torch.randn(m, k), torch.randn(n, k), torch.randn(n)
        f = how(lambda x: F.gelu(F.linear(x, weight, bias), approximate="tanh"))
        return without_gradient(lambda: f(x))

    return {name: lambda how=how: make(how) for name, how in BOTH.items()}


def conv(batch, side, channels, kind):
    def make(layout):
        x, dy = (torch.randn(batch, channels, side, side).to(memory_format=layout) for _ in range(2))
        w = torch.randn(channels, channels, 3, 3).to(memory_format=layout)
        if kind == "forward":
            return without_gradient(lambda: F.conv2d(x, w, padding=1))
        mask = [kind == "data", kind == "weights", False]
        back = torch.ops.aten.convolution_backward
        return without_gradient(lambda: back(dy, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask))

    return {name: lambda layout=layout: make(layout) for name, layout in LAYOUTS.items()}


def norm_silu(batch, side, channels):
    def make(how, layout):
        x = torch.randn(batch, channels, side, side).to(memory_format=layout).requires_grad_()
        weight, bias = torch.ones(channels, requires_grad=True), torch.zeros(channels, requires_grad=True)
        return there_and_back([x, weight, bias], how(lambda x, w, b: F.silu(F.group_norm(x, 32, w, b))))

    return {
        f"{how} {layout}": lambda h=BOTH[how], l=LAYOUTS[layout]: make(h, l) for how in BOTH for layout in LAYOUTS
    }


def attention(tokens, kind):
    def make():
        q = [torch.randn(8, 6, tokens, 64, requires_grad=True) for _ in range(3)]
        if kind == "forward":
            return without_gradient(lambda: F.scaled_dot_product_attention(*q))
        return there_and_back(q, F.scaled_dot_product_attention)

    return {"sdpa": make}


def adamw():
    def make(tensors):
        parameters = [torch.randn(10_000_000 // tensors) for _ in range(tensors)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        return torch.optim.AdamW(parameters, lr=1e-4, fused=True).step

    return {"fused, one tensor": lambda: make(1), "fused, 40 tensors": lambda: make(40)}


def normals():
    x = torch.empty(10_000_000)
    return without_gradient(x.normal_)


# Whole steps of a network.


def training(net, f, x):
    """Noise, forward, loss of the velocity, backward, Adam."""
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)

    def step():
        t, noise = torch.rand(x.shape[0]), torch.randn_like(x)
        angle = (math.pi / 2 * t).view(-1, 1, 1, 1)
        alpha, sigma = angle.cos(), angle.sin()
        loss = F.mse_loss(f(alpha * x + sigma * noise, t), alpha * noise - sigma * x)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def sampling(net, f, x):
    """One step of DDIM by 0.02 in time."""
    net.eval()
    z, now = x, 0.9

    @torch.no_grad()
    def step():
        nonlocal z, now
        v, then = f(z, torch.full((z.shape[0],), now)), max(0.02, now - 0.02)
        a, s = math.cos(math.pi / 2 * now), math.sin(math.pi / 2 * now)
        z = math.cos(math.pi / 2 * then) * (a * z - s * v) + math.sin(math.pi / 2 * then) * (s * z + a * v)
        now = then

    return step


def network(kind, what, batch):
    def make(how, layout):
        net = kind().to(memory_format=layout)
        x = torch.randn(batch, *kind.picture).to(memory_format=layout)
        return (training if what == "train" else sampling)(net, how(net), x)

    layouts = LAYOUTS if kind is UNet else ["contiguous"]
    return {f"{how} {layout}": lambda h=BOTH[how], l=LAYOUTS[layout]: make(h, l) for how in BOTH for layout in layouts}


CASES = {
    r"gemm (\d+)x(\d+)x(\d+)": gemm,
    r"gemm\+bias\+gelu (\d+)x(\d+)x(\d+)": gemm_bias_gelu,
    r"conv (\d+)x(\d+)x\d+x(\d+) (\w+)": conv,
    r"group norm\+silu (\d+)x(\d+)x\d+x(\d+)": norm_silu,
    r"attention S(\d+) (\S+)": attention,
    r"adamw 10M": adamw,
    r"normals 10M": lambda: {"normal_": normals},
    r"u-net (train|sample) batch (\d+)": lambda *a: network(UNet, *a),
    r"dit (train|sample) batch (\d+)": lambda *a: network(DiT, *a),
}


class Held:
    """The case at hand."""

    def case(self, name, threads):
        torch.set_num_threads(int(threads))
        torch.manual_seed(1)
        torch.compiler.reset()
        self.clock = time.process_time if int(threads) == 1 else time.perf_counter
        self.makers, self.works = {}, {}
        gc.collect()
        for pattern, settings in CASES.items():
            if found := re.fullmatch(pattern, name):
                self.makers = settings(*(int(g) if g.isdigit() else g for g in found.groups()))
        return "\t".join(self.makers)

    def work(self, number):
        name = list(self.makers)[int(number)]
        if name not in self.works:
            self.works[name] = self.makers[name]()
        return self.works[name]

    def run(self, number, repeats):
        work = self.work(number)
        processor, start = time.process_time(), self.clock()
        for _ in range(int(repeats)):
            work()
        return f"{(self.clock() - start) / int(repeats):.9g} {time.process_time() - processor:.9g}"


def main():
    print("PyTorch", torch.__version__.split("+")[0], file=answers)
    held = Held()
    for line in sys.stdin:
        verb, *words = line.rstrip("\n").split("\t")
        try:
            answer = {"case": held.case, "run": held.run}[verb](*words)
        except Exception as e:
            answer = "error: " + (str(e).splitlines() or [type(e).__name__])[0]
        print(answer, file=answers)


if __name__ == "__main__":
    main()
