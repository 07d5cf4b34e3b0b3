"""The PyTorch side of `go run ./bench/peers`: see common.py for what a process
does.
"""
import json
import sys

import torch
import torch.nn.functional as F

import common
import models
import scans


def load(path):
    """Parameters and their groups by name, as the Go side wrote them."""
    arrays, groups = common.load(path)
    return {name: torch.nn.Parameter(torch.from_numpy(t)) for name, t in arrays.items()}, groups


class Train:
    """Full training steps: forward, cross-entropy, backward, clipping, AdamW."""

    def __init__(self, job):
        self.p, groups = load(job["weights"])
        self.model = models.build(self.p, job)
        if job["variant"] == "compile":
            self.model = torch.compile(self.model, dynamic=False)
        self.trained = list(self.p.values())
        named = {g: [t for n, t in self.p.items() if groups[n] == g] for g in ("decay", "no_decay", "recurrent")}
        lr = job["lr"]
        self.opt = torch.optim.AdamW([
            {"params": named["decay"], "weight_decay": 0.1, "lr": lr},
            {"params": named["no_decay"], "weight_decay": 0.0, "lr": lr},
            {"params": named["recurrent"], "weight_decay": 0.0, "lr": 0.5 * lr},
        ], betas=(0.9, 0.95), eps=1e-8, fused=True)
        b, l = job["batch"], job["length"]
        t = torch.tensor(common.draw_tokens(b * l + 1, job["vocab"]))
        self.tokens, self.targets = t[:-1].view(b, l), t[1:]
        self.vocab = job["vocab"]

    def step(self):
        loss = F.cross_entropy(self.model(self.tokens).view(-1, self.vocab), self.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0, foreach=True)
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


class Block:
    """Forward and backward of one block of the ladder over one sequence."""

    def __init__(self, job):
        self.p, _ = load(job["weights"])
        self.block = models.LadderBlock(self.p, job)
        self.x = torch.from_numpy(common.waves(job["batch"] * job["length"] * job["d"])).view(job["batch"], job["length"], -1)
        self.x.requires_grad_()

    def gradients(self):
        self.block(self.x).mean().backward()
        found = [t.grad for t in self.p.values()]
        for t in (self.x, *self.p.values()):
            t.grad = None
        return found

    def step(self):
        self.gradients()

    def warm(self, steps):
        """The norms of the gradients of all parameters."""
        for _ in range(steps):
            found = self.gradients()
        return [g.norm().item() for g in found]


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    base = common.status("VmHWM")
    work = {"train": Train, "scan": Scan, "generate": Generate, "block": Block}[job["kind"]](job)
    work.params = sum(t.numel() for t in work.p.values())
    common.serve(job, work, base, version=torch.__version__, cpu=torch.backends.cpu.get_cpu_capability())


if __name__ == "__main__":
    main()
