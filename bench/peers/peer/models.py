"""The models of `go run ./bench/peers` in PyTorch, on the weights that the Go
side wrote: same names, same shapes, same mathematics.

Every function takes p, a dict of parameters by name, and the job.
"""
import torch
import torch.nn.functional as F
from torch import nn

import scans

EPS = 1e-5


def norm(x, w):
    return F.rms_norm(x, w.shape, w, EPS)


class LM(nn.Module):
    """Embedding, blocks, norm, head."""

    def __init__(self, p, job):
        super().__init__()
        self.p, self.job = p, job
        self.block = {"mamba": self.mamba, "lru": self.lru, "gpt": self.gpt}[job["model"]]
        self.scan = {"mamba": scans.SELECTIVE, "lru": scans.LINEAR}.get(job["model"], {}).get(job["variant"])
        if job["model"] == "gpt":
            self.cos, self.sin = rotation(job["length"], job["d"] // job["heads"])

    def forward(self, tokens):
        p = self.p
        x = F.embedding(tokens, p["embedding.weight"])
        for i in range(self.job["layers"]):
            x = self.block(f"layers.{i}.", x)
        return F.linear(norm(x, p["norm_f.weight"]), head(p))

    def mamba(self, at, x):
        return mamba_block(self.p, at, x, lambda u: s6(self.p, at + "mixer.", u, self.scan))

    def lru(self, at, x):
        p = self.p
        y = F.gelu(diagonal(p, at + "mixer.", norm(x, p[at + "norm.weight"]), self.scan), approximate="tanh")
        v = F.linear(y, p[at + "glu_value.weight"], p[at + "glu_value.bias"])
        g = F.linear(y, p[at + "glu_gate.weight"], p[at + "glu_gate.bias"])
        return x + v * torch.sigmoid(g)

    def gpt(self, at, x):
        return gpt_block(self.p, at, x, self.job["heads"], self.cos, self.sin)


def mamba_block(p, at, x, mixer):
    """x + W_out( mixer(SiLU(conv(W_x n))) SiLU(W_z n) ), n = norm(x)."""
    u, z = F.linear(norm(x, p[at + "norm.weight"]), p[at + "in_proj.weight"]).chunk(2, -1)
    w = p[at + "conv1d.weight"]
    u = F.conv1d(u.transpose(1, 2), w.unsqueeze(1), p[at + "conv1d.bias"], padding=w.shape[1] - 1, groups=w.shape[0])
    y = mixer(F.silu(u[..., : x.shape[1]].transpose(1, 2)))
    return x + F.linear(y * F.silu(z), p[at + "out_proj.weight"])


def s6(p, m, u, scan):
    delta, A, Bm, Cm = selection(p, m, u)
    return scan(delta, A, Bm, Cm, u) + p[m + "D"] * u


def diagonal(p, m, u, scan):
    """The LRU's recurrence, input and output matrices included."""
    lam = torch.exp(torch.complex(-torch.exp(p[m + "nu_log"]), torch.exp(p[m + "theta_log"])))
    gamma = torch.exp(p[m + "gamma_log"]).unsqueeze(-1)
    h = scan(lam, torch.complex(F.linear(u, gamma * p[m + "B_re"]), F.linear(u, gamma * p[m + "B_im"])))
    return F.linear(h.real, p[m + "C_re"]) - F.linear(h.imag, p[m + "C_im"]) + p[m + "D"] * u


def gpt_block(p, at, x, heads, cos, sin):
    m = at + "mixer."
    b, l, d = x.shape
    u = norm(x, p[at + "norm.weight"])
    q, k, v = (F.linear(u, p[m + n + "_proj.weight"]).view(b, l, heads, -1).transpose(1, 2) for n in "qkv")
    y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
    x = x + F.linear(y.transpose(1, 2).reshape(b, l, d), p[m + "o_proj.weight"])
    y = F.linear(norm(x, p[at + "norm2.weight"]), p[at + "mlp_in.weight"], p[at + "mlp_in.bias"])
    return x + F.linear(F.gelu(y, approximate="tanh"), p[at + "mlp_out.weight"], p[at + "mlp_out.bias"])


def head(p):
    return p["head.weight"] if "head.weight" in p else p["embedding.weight"]


def selection(p, m, u):
    """delta, A, B, C of an S6."""
    w = p[m + "dt_proj.weight"]
    n = p[m + "A_log"].shape[1]
    low, Bm, Cm = F.linear(u, p[m + "x_proj.weight"]).split([w.shape[1], n, n], -1)
    return F.softplus(F.linear(low, w, p[m + "dt_proj.bias"])), -torch.exp(p[m + "A_log"]), Bm, Cm


def rotation(length, dh):
    angle = torch.arange(length).unsqueeze(-1) * 10000.0 ** (-torch.arange(0, dh, 2) / dh)
    return torch.cos(angle), torch.sin(angle)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Recurrent(nn.Module):
    """Embedding, layers of nn.GRU, nn.LSTM or nn.RNN, head."""

    def __init__(self, p, job):
        super().__init__()
        self.p, self.job = p, job
        d, kind = job["d"], job["model"]
        self.cells = nn.ModuleList()
        if kind == "rnn":  # each layer has its own way out
            self.cells.extend(nn.RNN(d, d, batch_first=True) for _ in range(job["layers"]))
        else:
            self.cells.append({"gru": nn.GRU, "lstm": nn.LSTM}[kind](d, d, job["layers"], batch_first=True))
        for i in range(job["layers"]):
            cell, at = (self.cells[i], 0) if kind == "rnn" else (self.cells[0], i)
            self.adopt(cell, at, f"layers.{i}.")

    def adopt(self, cell, at, name):
        p, kind = self.p, self.job["model"]
        ours = {"gru": ("weight_ih", "weight_hh", "bias_ih", "bias_hh"), "lstm": ("weight_ih", "weight_hh", "bias", None),
                "rnn": ("B", "A", "bias", None)}[kind]
        for theirs, mine in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), ours):
            if mine:
                setattr(cell, f"{theirs}_l{at}", p[name + mine])
            else:  # the second bias does nothing: it stays 0 and is not trained
                zero = nn.Parameter(torch.zeros_like(p[name + ours[2]]), requires_grad=False)
                setattr(cell, f"{theirs}_l{at}", zero)

    def forward(self, tokens):
        p = self.p
        x = F.embedding(tokens, p["embedding.weight"])
        for i, cell in enumerate(self.cells):
            y, _ = cell(x)
            if self.job["model"] == "rnn":
                y = F.linear(y, p[f"layers.{i}.C"]) + x * p[f"layers.{i}.D"]
            x = y
        return F.linear(x, head(p))


class LadderBlock(nn.Module):
    """One block of a rung of the ladder."""

    def __init__(self, p, job):
        super().__init__()
        self.p, self.kind = p, job["model"]
        self.scan = {"lru": scans.LINEAR, "selective": scans.SELECTIVE, "mamba": scans.SELECTIVE}.get(self.kind, {}).get(job["variant"])
        if self.kind == "attention":
            self.heads = job["heads"]
            self.cos, self.sin = rotation(job["length"], job["d"] // job["heads"])
        if self.kind == "rnn":
            self.cell = nn.RNN(*reversed(p["mixer.B"].shape), batch_first=True)
            zero = nn.Parameter(torch.zeros_like(p["mixer.bias"]), requires_grad=False)
            self.cell.weight_ih_l0, self.cell.weight_hh_l0 = p["mixer.B"], p["mixer.A"]
            self.cell.bias_ih_l0, self.cell.bias_hh_l0 = p["mixer.bias"], zero

    def forward(self, x):
        if self.kind == "attention":
            return gpt_block(self.p, "", x, self.heads, self.cos, self.sin)
        return mamba_block(self.p, "", x, getattr(self, self.kind))

    def conv(self, u):
        return u

    def rnn(self, u):
        return F.linear(self.cell(u)[0], self.p["mixer.C"]) + u * self.p["mixer.D"]

    def lru(self, u):
        return diagonal(self.p, "mixer.", u, self.scan)

    def selective(self, u):
        return s6(self.p, "mixer.", u, self.scan)

    mamba = selective


def build(p, job):
    kind = Recurrent if job["model"] in ("gru", "lstm", "rnn") else LM
    return kind(p, job)


def mamba_step(p, layers, token, conv, state):
    """The next token of one stream, and the new states."""
    scores, convs, states = mamba_scores(p, layers, token, conv, state)
    return scores.argmax(-1), convs, states


def mamba_scores(p, layers, token, conv, state):
    """One token of one stream through a Mamba: token (1), per layer conv (1,E,K-1)
    and state (1,E,N). Returns the scores (1,V) and the new states."""
    x = F.embedding(token, p["embedding.weight"])
    convs, states = [], []
    for i in range(layers):
        at = f"layers.{i}."
        u, z = F.linear(norm(x, p[at + "norm.weight"]), p[at + "in_proj.weight"]).chunk(2, -1)
        window = torch.cat([conv[i], u.unsqueeze(-1)], -1)
        convs.append(window[..., 1:])
        u = F.silu((window * p[at + "conv1d.weight"]).sum(-1) + p[at + "conv1d.bias"])
        delta, A, Bm, Cm = selection(p, at + "mixer.", u)
        h = torch.exp(delta.unsqueeze(-1) * A) * state[i] + (delta * u).unsqueeze(-1) * Bm.unsqueeze(1)
        states.append(h)
        y = (h * Cm.unsqueeze(1)).sum(-1) + p[at + "mixer.D"] * u
        x = x + F.linear(y * F.silu(z), p[at + "out_proj.weight"])
    return F.linear(norm(x, p["norm_f.weight"]), head(p)), convs, states


def mamba_start(p, layers):
    conv, state = [], []
    for i in range(layers):
        w, a = p[f"layers.{i}.conv1d.weight"], p[f"layers.{i}.mixer.A_log"]
        conv.append(torch.zeros(1, w.shape[0], w.shape[1] - 1))
        state.append(torch.zeros(1, *a.shape))
    return conv, state
