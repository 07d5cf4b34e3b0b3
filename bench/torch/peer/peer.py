"""The PyTorch side of `go run ./bench/torch`: one process, one measurement.

The job is argv[1] as JSON. The process builds its model from the weights of the
job, runs job["warm"] steps and prints what it found as one line of JSON; then
for every line with a number of seconds on standard input it runs steps for that
long, at least one, and prints their times. It ends with its input.
"""
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import models
import scans


def status(key):
    """A size of this process in bytes, as Linux knows it; 0 elsewhere."""
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def load(path):
    """Parameters and their groups by name, as the Go side wrote them."""
    with open(path + ".json") as f:
        index = json.load(f)
    data = np.fromfile(path, dtype=np.float32)
    p, groups, at = {}, {}, 0
    for entry in index:
        n = int(np.prod(entry["shape"]))
        t = torch.from_numpy(data[at:at + n].copy()).view(entry["shape"])
        p[entry["name"]], groups[entry["name"]] = torch.nn.Parameter(t), entry["group"]
        at += n
    assert at == len(data), (at, len(data))
    return p, groups


def draw_tokens(n, vocab):
    """The same numbers as tokens() of the Go side."""
    x, out = 1, []
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((x >> 16) % vocab)
    return out


class Train:
    """Full training steps: forward, cross-entropy, backward, clipping, AdamW."""

    def __init__(self, job):
        self.p, groups = load(job["weights"])
        self.model = models.build(self.p, job)
        if job["variant"] == "compile":
            self.model = torch.compile(self.model, dynamic=False)
        self.params = list(self.p.values())
        named = {g: [t for n, t in self.p.items() if groups[n] == g] for g in ("decay", "no_decay", "recurrent")}
        lr = job["lr"]
        self.opt = torch.optim.AdamW([
            {"params": named["decay"], "weight_decay": 0.1, "lr": lr},
            {"params": named["no_decay"], "weight_decay": 0.0, "lr": lr},
            {"params": named["recurrent"], "weight_decay": 0.0, "lr": 0.5 * lr},
        ], betas=(0.9, 0.95), eps=1e-8, fused=True)
        b, l = job["batch"], job["length"]
        t = torch.tensor(draw_tokens(b * l + 1, job["vocab"]))
        self.tokens, self.targets = t[:-1].view(b, l), t[1:]
        self.vocab = job["vocab"]

    def step(self):
        loss = F.cross_entropy(self.model(self.tokens).view(-1, self.vocab), self.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0, foreach=True)
        self.opt.step()
        self.opt.zero_grad(set_to_none=True)
        return loss.item()

    def warm(self, steps):
        return [self.step() for _ in range(steps)]


class Scan:
    """Forward and backward of the selective scan by itself."""

    def __init__(self, job):
        self.p, _ = load(job["weights"])
        self.scan = scans.SELECTIVE[job["variant"]]

    def loss(self):
        p = self.p
        y = self.scan(F.softplus(p["delta"]), p["A"], p["B"], p["C"], p["u"]) + p["D"] * p["u"]
        return (y * F.silu(p["z"])).mean()

    def step(self):
        loss = self.loss()
        loss.backward()
        for t in self.p.values():
            t.grad = None
        return loss.item()

    def warm(self, steps):
        for _ in range(steps):
            loss = self.loss()
            loss.backward()
            found = [loss.item()] + [t.grad.norm().item() for t in self.p.values()]
            for t in self.p.values():
                t.grad = None
        return found


class Generate:
    """Greedy generation, one stream, one token a step."""

    def __init__(self, job):
        self.p, _ = load(job["weights"])
        self.layers = job["layers"]
        self.advance = models.mamba_step
        if job["variant"] == "compile":
            self.advance = torch.compile(models.mamba_step, dynamic=False)
        self.conv, self.state = models.mamba_start(self.p, self.layers)
        self.token = torch.zeros(1, dtype=torch.int64)

    @torch.inference_mode()
    def step(self):
        self.token, self.conv, self.state = self.advance(self.p, self.layers, self.token, self.conv, self.state)
        return self.token.item()

    @torch.inference_mode()
    def warm(self, steps):
        """The tokens, then the greatest score that follows them."""
        found = [self.step() for _ in range(steps)]
        scores, _, _ = models.mamba_scores(self.p, self.layers, self.token, self.conv, self.state)
        return found + [scores.max().item()]


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    base = status("VmHWM")
    work = {"train": Train, "scan": Scan, "generate": Generate}[job["kind"]](job)
    found = work.warm(job["warm"])
    params = sum(t.numel() for t in work.p.values())
    say({"params": params, "found": found, "base": base, "version": torch.__version__,
         "cpu": torch.backends.cpu.get_cpu_capability(), "variant": job["variant"]})
    for line in sys.stdin:
        say({"seconds": measure(work, float(line)), "peak": status("VmHWM")})


def measure(work, seconds):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work.step()
        times.append(time.perf_counter() - start)
    return times


def say(reply):
    print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main()
