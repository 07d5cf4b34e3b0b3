"""The JAX side of `go run ./bench/peers`, on CPUs: a step is one compiled
function. See common.py for what a process does, models.py for the mathematics.

Shapes: B batch, L length, E channels, N states a channel.
"""
import json
import os
import sys

JOB = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
if JOB and hasattr(os, "sched_setaffinity"):  # XLA takes as many threads as it may use cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:JOB["threads"]])
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import common

EPS = 1e-5
UNROLL = {"scan": 1, "scan, 8 steps unrolled": 8}


def norm(x, w):
    return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + EPS) * w


def along_time(x):
    return jnp.swapaxes(x, 0, 1)


def selective(variant, delta, A, Bm, Cm, u):
    """sum_n C_t[n] h_t[n], (B,L,E), for delta (B,L,E) after softplus, A (E,N), Bm
    and Cm (B,L,N), u (B,L,E)."""
    if variant == "associative":
        a = jnp.exp(delta[..., None] * A)
        x = (delta * u)[..., None] * Bm[:, :, None]
        _, h = lax.associative_scan(combine, (a, x), axis=1)
        return jnp.einsum("blen,bln->ble", h, Cm)

    def step(h, at):
        d, b, c, v = at
        h = jnp.exp(d[..., None] * A) * h + (d * v)[..., None] * b[:, None]
        return h, (h * c[:, None]).sum(-1)

    start = jnp.zeros((u.shape[0], *A.shape), u.dtype)
    _, y = lax.scan(step, start, tuple(map(along_time, (delta, Bm, Cm, u))), unroll=UNROLL[variant])
    return along_time(y)


def linear(variant, lam, x):
    """h_t = lam h_{t-1} + x_t for lam (N) and x (B,L,N), complex."""
    if variant == "associative":
        return lax.associative_scan(combine, (jnp.broadcast_to(lam, x.shape), x), axis=1)[1]

    def step(h, xt):
        h = lam * h + xt
        return h, h

    return along_time(lax.scan(step, jnp.zeros_like(x[:, 0]), along_time(x), unroll=UNROLL[variant])[1])


def combine(first, then):
    return first[0] * then[0], then[0] * first[1] + then[1]


def mamba(p, at, x, variant):
    m = at + "mixer."
    u, z = jnp.split(norm(x, p[at + "norm.weight"]) @ p[at + "in_proj.weight"].T, 2, -1)
    w, length = p[at + "conv1d.weight"], x.shape[1]
    padded = jnp.pad(u, ((0, 0), (w.shape[1] - 1, 0), (0, 0)))
    u = sum(padded[:, j:j + length] * w[:, j] for j in range(w.shape[1]))
    u = jax.nn.silu(u + p[at + "conv1d.bias"])
    rank, n = p[m + "dt_proj.weight"].shape[1], p[m + "A_log"].shape[1]
    low, Bm, Cm = jnp.split(u @ p[m + "x_proj.weight"].T, [rank, rank + n], -1)
    delta = jax.nn.softplus(low @ p[m + "dt_proj.weight"].T + p[m + "dt_proj.bias"])
    y = selective(variant, delta, -jnp.exp(p[m + "A_log"]), Bm, Cm, u) + p[m + "D"] * u
    return x + (y * jax.nn.silu(z)) @ p[at + "out_proj.weight"].T


def lru(p, at, x, variant):
    m = at + "mixer."
    lam = jnp.exp(lax.complex(-jnp.exp(p[m + "nu_log"]), jnp.exp(p[m + "theta_log"])))
    gamma = jnp.exp(p[m + "gamma_log"])[:, None]
    u = norm(x, p[at + "norm.weight"])
    h = linear(variant, lam, lax.complex(u @ (gamma * p[m + "B_re"]).T, u @ (gamma * p[m + "B_im"]).T))
    y = jax.nn.gelu(h.real @ p[m + "C_re"].T - h.imag @ p[m + "C_im"].T + p[m + "D"] * u, approximate=True)
    v = y @ p[at + "glu_value.weight"].T + p[at + "glu_value.bias"]
    return x + v * jax.nn.sigmoid(y @ p[at + "glu_gate.weight"].T + p[at + "glu_gate.bias"])


class Train:
    """Full training steps: forward, cross-entropy, backward, clipping, AdamW."""

    def __init__(self, job):
        p, groups = common.load(job["weights"])
        self.params = sum(t.size for t in p.values())
        self.p = {name: jnp.asarray(t) for name, t in p.items()}
        self.moments = [jax.tree.map(jnp.zeros_like, self.p) for _ in "mv"]
        self.steps = 0
        b, l = job["batch"], job["length"]
        t = np.array(common.draw_tokens(b * l + 1, job["vocab"]), dtype=np.int32)
        self.tokens, self.targets = jnp.asarray(t[:-1].reshape(b, l)), jnp.asarray(t[1:].reshape(b, l))
        block = {"mamba": mamba, "lru": lru}[job["model"]]

        def loss(p, tokens, targets):
            x = p["embedding.weight"][tokens]
            for i in range(job["layers"]):
                x = block(p, f"layers.{i}.", x, job["variant"])
            scores = norm(x, p["norm_f.weight"]) @ p.get("head.weight", p["embedding.weight"]).T
            picked = jnp.take_along_axis(scores, targets[..., None], -1)[..., 0]
            return (jax.nn.logsumexp(scores, -1) - picked).mean()

        def update(p, moments, step, tokens, targets):
            value, g = jax.value_and_grad(loss)(p, tokens, targets)
            size = jnp.sqrt(sum((t * t).sum() for t in g.values()))
            scale = jnp.minimum(1.0, 1.0 / (size + 1e-6))
            c1, c2 = 1 - 0.9**step, 1 - 0.95**step
            new, m, v = {}, {}, {}
            for name, w in p.items():
                lr = job["lr"] * (0.5 if groups[name] == "recurrent" else 1.0)
                decay = 0.1 if groups[name] == "decay" else 0.0
                t = g[name] * scale
                m[name] = 0.9 * moments[0][name] + 0.1 * t
                v[name] = 0.95 * moments[1][name] + 0.05 * t * t
                new[name] = w * (1 - lr * decay) - lr * (m[name] / c1) / (jnp.sqrt(v[name] / c2) + 1e-8)
            return value, new, [m, v]

        self.update = jax.jit(update, donate_argnums=(0, 1))

    def step(self):
        self.steps += 1
        value, self.p, self.moments = self.update(self.p, self.moments, float(self.steps), self.tokens, self.targets)
        jax.block_until_ready(self.p)
        return float(value)

    def warm(self, steps):
        return [self.step() for _ in range(steps)]


class Scan:
    """Forward and backward of the selective scan by itself, gate included."""

    def __init__(self, job):
        p, _ = common.load(job["weights"])
        self.names, self.params = list(p), sum(t.size for t in p.values())
        self.p = {name: jnp.asarray(t) for name, t in p.items()}

        def loss(p):
            y = selective(job["variant"], jax.nn.softplus(p["delta"]), p["A"], p["B"], p["C"], p["u"]) + p["D"] * p["u"]
            return (y * jax.nn.silu(p["z"])).mean()

        self.gradients = jax.jit(jax.value_and_grad(loss))

    def step(self):
        return jax.block_until_ready(self.gradients(self.p))

    def warm(self, steps):
        for _ in range(steps):
            value, g = self.step()
        return [float(value)] + [float(jnp.linalg.norm(g[name].ravel())) for name in self.names]


def main():
    base = common.status("VmHWM")
    work = {"train": Train, "scan": Scan}[JOB["kind"]](JOB)
    common.serve(JOB, work, base, version=jax.__version__, cpu=f"{len(os.sched_getaffinity(0))} cores" if hasattr(os, "sched_getaffinity") else "")


if __name__ == "__main__":
    main()
