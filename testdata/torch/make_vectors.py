#!/usr/bin/env python3
"""Test vectors for gophersnake, computed with PyTorch in float64.

    python make_vectors.py --mamba PATH --out .

PATH is a git checkout of state-spaces/mamba. selective_scan.json and
mamba_block.json hold what its selective_scan_ref and Mamba return; without
--mamba these two files are left as they are. Every other file comes from
torch's own operators. Each case is computed a second time by the formulas in
this script ("own"); values and gradients must agree, or nothing is written.

--minimal-lru PATH (a checkout of NicolasZucchet/minimal-LRU; needs jax and
flax) also compares lru.json with the official layer. It changes no file.

Inputs come from numpy's PCG64, seeded by (SEED, subject, case), rounded to six
decimals: a new case moves no other, and the files stay small and exact.

Letters: B batch, L length, D width, N state size, H hidden size. Shapes are
row-major. Complex x is stored as x_re and x_im; the gradient of x_re is
dloss/d(x_re), that of x_im is dloss/d(x_im). loss = sum(out * dy).
"""
import argparse
import hashlib
import importlib
import json
import math
import pathlib
import subprocess
import sys
import types
import zlib

import numpy as np
import torch
import torch.nn.functional as F

SEED = 20240501
# Two float64 evaluations of one formula in another order of summation differ
# by some 1e-15 relative; 1e-12 leaves room for the longest case (L = 128).
OWN_TOL = 1e-12
# The log-space form of minGRU exponentiates differences of cumulative sums of
# size ~1e2, each good to ~1e-14: 1e-10 is what it can promise.
LOG_TOL = 1e-10


# ------------------------------------------------------------------ plumbing

class Draw:
    """The random inputs of one case; order of calls matters, torch does not."""

    def __init__(self, subject, name):
        self.rng = np.random.default_rng([SEED, zlib.crc32(f"{subject}/{name}".encode())])

    def randn(self, *shape, scale=1.0):
        return np.round(self.rng.standard_normal(shape) * scale, 6)

    def rand(self, *shape, lo=0.0, hi=1.0):
        return np.round(self.rng.uniform(lo, hi, shape), 6)


class Subject:
    """The cases of one JSON file."""

    def __init__(self, name, source="torch"):
        self.name, self.source, self.cases = name, source, []

    def add(self, name, inputs, f, own=None, meta=None, fixed=(), tol=OWN_TOL, zero=()):
        """Records f(**inputs), a dict whose "out" carries the loss.

        fixed: inputs without gradient. own: the same map by this script's
        formulas; it may return some of f's outputs only, but always "out".
        zero: gradients that are exactly zero and would otherwise be refused.
        """
        inputs = {k: np.round(v, 9) for k, v in inputs.items()}  # 1+1e-6 has 17 digits, too
        dy = Draw(self.name, name + "/dy")
        out, grads, w = evaluate(f, inputs, fixed, dy.randn)
        if own is not None:
            out2, grads2, _ = evaluate(own, inputs, fixed, lambda *s: w)
            for k, v in out2.items():
                check(f"{self.name}/{name}: {k}", out[k], v, tol)
            for k, v in grads2.items():
                check(f"{self.name}/{name}: d{k}", grads[k], v, tol)
        for k, v in grads.items():
            if (not np.any(v)) != (k in zero):
                raise AssertionError(f"{self.name}/{name}: d{k} all zero: {k not in zero}")
        self.cases.append({
            "name": name,
            "inputs": {k: array(v) for k, v in [*inputs.items(), ("dy", w)]},
            "outputs": {k: array(v) for k, v in out.items()},
            "grads": {k: array(v) for k, v in grads.items()},
            "meta": {"zero_grads": sorted(zero), **(meta or {})},
        })

    def write(self, folder):
        head = {"subject": self.name, "source": self.source, "torch": torch.__version__,
                "numpy": np.__version__, "dtype": "float64", "seed": SEED}
        dump = lambda v: json.dumps(v, separators=(",", ":"), allow_nan=False)
        body = ",\n".join(dump(c) for c in self.cases)
        path = pathlib.Path(folder) / f"{self.name}.json"
        path.write_text(f'{{"meta":{dump(head)},\n"cases":[\n{body}\n]}}\n')
        print(f"{path.name}: {len(self.cases)} cases, {path.stat().st_size} bytes")


def evaluate(f, inputs, fixed, draw):
    leaves = {k: torch.tensor(v, requires_grad=k not in fixed) for k, v in inputs.items()}
    out = f(**leaves)
    w = draw(*out["out"].shape)
    loss = (out["out"] * torch.tensor(w)).sum()
    names = [k for k in inputs if k not in fixed]
    grads = torch.autograd.grad(loss, [leaves[k] for k in names])
    return ({k: v.detach().numpy() for k, v in out.items()},
            dict(zip(names, (g.numpy() for g in grads))), w)


def check(what, a, b, tol):
    assert a.shape == b.shape, f"{what}: shape {a.shape} and {b.shape}"
    err = np.abs(a - b).max() / max(1e-300, np.abs(b).max())
    assert err <= tol, f"{what}: relative error {err:.3g} > {tol:.0e}"


def array(v):
    v = np.asarray(v)
    return {"shape": list(v.shape), "data": v.astype(np.float64).ravel().tolist()}


def split(name, v):
    return {f"{name}_re": v.real, f"{name}_im": v.imag} if v.is_complex() else {name: v}


def join(kw, name):
    """kw[name], or the complex tensor of kw[name_re] and kw[name_im]."""
    if name in kw:
        return kw[name]
    return torch.complex(kw[name + "_re"], kw[name + "_im"]) if name + "_re" in kw else None


# ------------------------------------------------- the official Mamba, on CPU

OFFICIAL = ["mamba_ssm/ops/selective_scan_interface.py", "mamba_ssm/modules/mamba_simple.py"]


def load_mamba(path):
    """selective_scan_ref, Mamba and their provenance, without CUDA or triton.

    Stubs stand for the packages that need a GPU. The reference calls .float(),
    so float is made to mean float64; einsum gets a common dtype, since torch
    no longer contracts a real with a complex tensor.
    """
    path = pathlib.Path(path).resolve()

    def stub(name, **attrs):
        sys.modules[name] = mod = types.ModuleType(name)
        mod.__dict__.update(attrs)

    for pkg in ["mamba_ssm", "mamba_ssm.ops", "mamba_ssm.ops.triton", "mamba_ssm.modules"]:
        stub(pkg, __path__=[str(path.joinpath(*pkg.split(".")))])
    stub("mamba_ssm.ops.triton.layer_norm", _layer_norm_fwd=None, RMSNorm=None,
         layer_norm_fn=None, rms_norm_fn=None)
    for name in ["causal_conv1d", "selective_scan_cuda",
                 "mamba_ssm.ops.triton.selective_state_update"]:
        sys.modules[name] = None  # import raises ImportError: take the plain path
    scan = importlib.import_module("mamba_ssm.ops.selective_scan_interface")
    simple = importlib.import_module("mamba_ssm.modules.mamba_simple")
    simple.selective_scan_fn = scan.selective_scan_ref

    torch.Tensor.float = torch.Tensor.double
    einsum = torch.einsum

    def promoting(eq, *xs):
        cx = any(x.is_complex() for x in xs)
        return einsum(eq, *[x.to(torch.complex128) if cx else x for x in xs])

    torch.einsum = promoting
    commit = subprocess.run(["git", "-C", str(path), "rev-parse", "HEAD"], check=True,
                            capture_output=True, text=True).stdout.strip()
    source = {"repository": "state-spaces/mamba", "commit": commit,
              "sha256": {f: hashlib.sha256((path / f).read_bytes()).hexdigest()
                         for f in OFFICIAL}}
    return scan.selective_scan_ref, simple.Mamba, source


# -------------------------------------------------------------- selective scan

def own_scan(softplus=False, **kw):
    """h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t;  y_t = C_t h_t + D u_t;  y SiLU(z)."""
    A, B, C = (join(kw, k) for k in "ABC")
    u, delta = kw["u"], kw["delta"]
    if "delta_bias" in kw:
        delta = delta + kw["delta_bias"][:, None]
    if softplus:
        delta = torch.where(delta > 20, delta, torch.log1p(torch.exp(delta.clamp(max=20))))
    per = lambda M: A.shape[0] // M.shape[1]  # channels per group
    at = lambda M, t: (M[None] if M.dim() == 2  # (1|B, D, N)
                       else M[..., t].repeat_interleave(per(M), 1))
    h = torch.zeros(u.shape[0], *A.shape, dtype=A.dtype)
    ys = []
    for t in range(u.shape[2]):
        dt = delta[:, :, t, None]
        h = torch.exp(dt * A) * h + dt * at(B, t) * u[:, :, t, None]
        y = (at(C, t) * h).sum(-1)
        ys.append(2 * y.real if y.is_complex() else y)
    y = torch.stack(ys, 2)
    if "D" in kw:
        y = y + kw["D"][:, None] * u
    if "z" in kw:
        y = y * kw["z"] * torch.sigmoid(kw["z"])
    return {"out": y, **split("last_state", h)}


def official_scan(ref, softplus, **kw):
    def weave(M):  # complex (B,G,N,L) -> the reference's real (B,G,N,2L), re and im in turn
        return torch.view_as_real(M).flatten(-2) if M.is_complex() and M.dim() == 4 else M

    out, last = ref(kw["u"], kw["delta"], join(kw, "A"), weave(join(kw, "B")),
                    weave(join(kw, "C")), kw.get("D"), z=kw.get("z"),
                    delta_bias=kw.get("delta_bias"), delta_softplus=softplus,
                    return_last_state=True)
    return {"out": out, **split("last_state", last)}


def scan_case(s, ref, name, L, var_b=True, var_c=True, has_z=True, has_d=True, bias=True,
              softplus=True, cplx=False, dims=(2, 4, 8), groups=1, scale=0.5, zero=()):
    b, d, n = dims
    r = Draw(s.name, name)
    x = {"u": r.randn(b, d, L), "delta": r.rand(b, d, L, hi=scale)}

    def put(key, draw):
        for k in [f"{key}_re", f"{key}_im"] if cplx else [key]:
            x[k] = draw()

    put("A", lambda: r.rand(d, n, lo=-0.5, hi=0))
    put("B", lambda: r.randn(*((b, groups, n, L) if var_b else (d, n))))
    put("C", lambda: r.randn(*((b, groups, n, L) if var_c else (d, n))))
    if has_d:
        x["D"] = r.randn(d)
    if has_z:
        x["z"] = r.randn(b, d, L)
    if bias:
        x["delta_bias"] = r.rand(d, hi=0.5)
    s.add(name, x, lambda **kw: official_scan(ref, softplus, **kw),
          lambda **kw: own_scan(softplus, **kw), zero=zero,
          meta={"B": b, "L": L, "D": d, "N": n, "groups": groups, "variable_B": var_b,
                "variable_C": var_c, "has_z": has_z, "has_D": has_d, "has_delta_bias": bias,
                "delta_softplus": softplus, "complex": cplx})


def selective_scan(ref, source):
    s = Subject("selective_scan", source)
    add = lambda *a, **kw: scan_case(s, ref, *a, **kw)
    add("official_L128", 128)
    add("const_BC_L128", 128, var_b=False, var_c=False)
    add("L1", 1, zero=["A"])
    add("L3", 3)
    add("L65", 65)
    add("L64_N1", 64, dims=(2, 4, 1))
    for z in (0, 1):
        for d in (0, 1):
            for bs in (0, 1):
                add(f"L7_z{z}_D{d}_biassoftplus{bs}", 7, has_z=bool(z), has_d=bool(d),
                    bias=bool(bs), softplus=bool(bs))
    add("L7_bias_only", 7, softplus=False)
    add("L7_softplus_only", 7, bias=False)
    for vb, vc in [(0, 0), (0, 1), (1, 0)]:
        add(f"L7_varB{vb}_varC{vc}", 7, var_b=bool(vb), var_c=bool(vc))
    # delta up to 4000: exp(delta*A) underflows to 0, softplus passes through.
    add("L7_delta_large", 7, scale=4000.0)
    for vb, vc in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        add(f"complex_L7_varB{vb}_varC{vc}", 7, var_b=bool(vb), var_c=bool(vc), cplx=True)
    add("complex_L33_plain", 33, cplx=True, dims=(2, 3, 4), has_z=False, has_d=False,
        bias=False, softplus=False)
    add("complex_L1", 1, cplx=True, zero=["A_re", "A_im"])
    # B and C of two groups, channels 0, 1 and 2, 3, as in the official test suite.
    add("groups2_L7", 7, groups=2)
    add("groups2_L64", 64, groups=2)
    add("complex_groups2_L7", 7, groups=2, cplx=True)
    return s


# ----------------------------------------------------------------- Mamba block

def own_mamba(N, R, **p):
    """Gu & Dao 2023, section 3.4, as in the released code: exact exp for A, Euler for B."""
    h = p["hidden_states"]
    xz = (h @ p["in_proj.weight"].T).transpose(1, 2)
    di, L = xz.shape[1] // 2, xz.shape[2]
    x, z = xz[:, :di], xz[:, di:]
    w = p["conv1d.weight"][:, 0]
    k = w.shape[1]
    pad = torch.cat([x.new_zeros(x.shape[0], di, k - 1), x], 2)
    x = sum(w[:, j, None] * pad[:, :, j:j + L] for j in range(k)) + p["conv1d.bias"][:, None]
    x = x * torch.sigmoid(x)
    dbl = x.transpose(1, 2) @ p["x_proj.weight"].T
    low, B, C = dbl[..., :R], dbl[..., R:R + N], dbl[..., R + N:]
    delta = (low @ p["dt_proj.weight"].T).transpose(1, 2)
    scan = own_scan(True, u=x, delta=delta, A=-torch.exp(p["A_log"]),
                    B=B.transpose(1, 2)[:, None], C=C.transpose(1, 2)[:, None],
                    D=p["D"], z=z, delta_bias=p["dt_proj.bias"])
    out = scan["out"].transpose(1, 2) @ p["out_proj.weight"].T
    return {"out": out, "conv_state": pad[:, :, L - 1:], "ssm_state": scan["last_state"]}


def official_mamba(Mamba, N, k, **p):
    h = p["hidden_states"]
    m = Mamba(h.shape[2], d_state=N, d_conv=k, expand=2, layer_idx=0).double()
    params = {k: v for k, v in p.items() if k != "hidden_states"}
    assert set(params) == set(dict(m.named_parameters())), "parameter names"
    call = lambda *a: torch.func.functional_call(m, params, a)
    cache = types.SimpleNamespace(key_value_memory_dict={}, seqlen_offset=0)
    with torch.no_grad():
        call(h, cache)
        conv, ssm = (s.clone() for s in cache.key_value_memory_dict[0])
        # step(), token by token, must reach the same outputs and states.
        cache = types.SimpleNamespace(key_value_memory_dict={}, seqlen_offset=1)
        steps = torch.cat([call(h[:, t:t + 1], cache) for t in range(h.shape[1])], 1)
    out = call(h)
    check("official step == parallel", steps.numpy(), out.detach().numpy(), OWN_TOL)
    for a, b in zip(cache.key_value_memory_dict[0], (conv, ssm)):
        check("official step state", a.numpy(), b.numpy(), OWN_TOL)
    return {"out": out, "conv_state": conv, "ssm_state": ssm}


def mamba_block(Mamba, source):
    s = Subject("mamba_block", source)
    for name, d, n, L, b in [("D8_N4_L9", 8, 4, 9, 2), ("D20_N16_L5", 20, 16, 5, 2),
                             ("D8_N4_L2", 8, 4, 2, 1)]:
        g = Draw(s.name, name)
        di, rank, k = 2 * d, math.ceil(d / 16), 4
        dt = np.exp(g.rand(di, lo=math.log(1e-3), hi=math.log(1e-1)))
        x = {
            "hidden_states": g.randn(b, L, d),
            "in_proj.weight": g.rand(2 * di, d, lo=-1, hi=1) / 2,
            "conv1d.weight": g.rand(di, 1, k, lo=-.5, hi=.5),
            "conv1d.bias": g.rand(di, lo=-.5, hi=.5),
            "x_proj.weight": g.rand(rank + 2 * n, di, lo=-1, hi=1) / 2,
            "dt_proj.weight": g.rand(di, rank, lo=-1, hi=1),
            "dt_proj.bias": np.round(dt + np.log(-np.expm1(-dt)), 6),
            "A_log": np.round(np.log(np.arange(1, n + 1)) + g.randn(di, n, scale=.2), 6),
            "D": 1 + g.randn(di, scale=.2),
            "out_proj.weight": g.rand(d, di, lo=-1, hi=1) / 2,
        }
        s.add(name, x, lambda **p: official_mamba(Mamba, n, k, **p),
              lambda **p: own_mamba(n, rank, **p),
              meta={"B": b, "L": L, "D": d, "N": n, "R": rank, "d_inner": di, "d_conv": k,
                    "expand": 2})
    return s


# ------------------------------------------------------------------------- LRU

def lru_forward(u, nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D):
    """Orvieto et al. 2023, section 3 and appendix A. No factor 2: y = Re(C x) + D u."""
    lam = torch.exp(torch.complex(-torch.exp(nu_log), torch.exp(theta_log)))
    Bn = torch.complex(B_re, B_im) * torch.exp(gamma_log)[:, None]
    Bu = u.to(Bn.dtype) @ Bn.T
    C, x, ys = torch.complex(C_re, C_im), torch.zeros_like(Bu[:, 0]), []
    for t in range(u.shape[1]):
        x = lam * x + Bu[:, t]
        ys.append((x @ C.T).real + D * u[:, t])
    return {"out": torch.stack(ys, 1), "last_state_re": x.real, "last_state_im": x.imag}


def lru_kernel(u, nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D):
    """The same map as a convolution in real arithmetic: |lambda|^k e^{i k theta}."""
    L = u.shape[1]
    lag = torch.arange(L)[:, None] - torch.arange(L)
    k = lag.clamp(min=0)[..., None].double()
    mag = torch.exp(-k * torch.exp(nu_log)) * torch.exp(gamma_log) * (lag >= 0)[..., None]
    c, s = mag * torch.cos(k * torch.exp(theta_log)), mag * torch.sin(k * torch.exp(theta_log))
    ur, ui = u @ B_re.T, u @ B_im.T
    mix = lambda p, v: torch.einsum("tsn,bsn->btn", p, v)
    xr, xi = mix(c, ur) - mix(s, ui), mix(c, ui) + mix(s, ur)
    return {"out": xr @ C_re.T - xi @ C_im.T + D * u,
            "last_state_re": xr[:, -1], "last_state_im": xi[:, -1]}


def lru():
    s = Subject("lru", "torch, complex128 loop over t (Orvieto et al. 2023, appendix A)")
    for name, b, L, d, n, r0, r1 in [("N6_D4_L11", 2, 11, 4, 6, 0., 1.),
                                     ("ring_N8_D3_L65", 1, 65, 3, 8, .9, .999),
                                     ("L1", 2, 1, 4, 6, 0., 1.)]:
        g = Draw(s.name, name)
        nu = -.5 * np.log(g.rand(n, lo=.02, hi=1) * (r1**2 - r0**2) + r0**2 - 1e-9)
        th = 2 * np.pi * g.rand(n, lo=.01, hi=1)
        x = {
            "u": g.randn(b, L, d), "nu_log": np.round(np.log(nu), 6),
            "theta_log": np.round(np.log(th), 6),
            # off its initial value, which would hide a gamma that is not learned
            "gamma_log": np.round(.5 * np.log(-np.expm1(-2 * nu)) + g.randn(n, scale=.2), 6),
            "B_re": g.randn(n, d, scale=(2 * d)**-.5), "B_im": g.randn(n, d, scale=(2 * d)**-.5),
            "C_re": g.randn(d, n, scale=n**-.5), "C_im": g.randn(d, n, scale=n**-.5),
            "D": g.randn(d),
        }
        s.add(name, x, lru_forward, lru_kernel, meta={"B": b, "L": L, "D": d, "N": n},
              zero=["nu_log", "theta_log"] if L == 1 else [])
    return s


def check_minimal_lru(s, path):
    """The recorded outputs and gradients against the official JAX layer, vmapped over B."""
    import jax
    jax.config.update("jax_enable_x64", True)
    sys.path.insert(0, str(path))
    LRU = importlib.import_module("lru.model").LRU
    for c in s.cases:
        x = {k: np.array(v["data"]).reshape(v["shape"]) for k, v in c["inputs"].items()}
        u, dy = x.pop("u"), x.pop("dy")
        layer = LRU(d_hidden=c["meta"]["N"], d_model=c["meta"]["D"])
        f = lambda p, u: jax.vmap(lambda v: layer.apply({"params": p}, v))(u)
        gp, gu = jax.grad(lambda p, u: (f(p, u) * dy).sum(), argnums=(0, 1))(x, u)
        for k, v in {**gp, "u": gu}.items():
            want = np.array(c["grads"][k]["data"]).reshape(v.shape)
            check(f"minimal-LRU {c['name']} d{k}", np.asarray(v), want, OWN_TOL)
        want = np.array(c["outputs"]["out"]["data"]).reshape(u.shape)
        check(f"minimal-LRU {c['name']} out", np.asarray(f(x, u)), want, OWN_TOL)
    print(f"lru: {len(s.cases)} cases agree with minimal-LRU, gradients too")


# ----------------------------------------------------------- RNN, GRU and LSTM

def torch_rnn(kind, x, h0, c0=None, **p):
    m = getattr(torch.nn, kind)(x.shape[2], h0.shape[1], batch_first=True).double()
    state = h0[None] if c0 is None else (h0[None], c0[None])
    out, last = torch.func.functional_call(m, p, (x, state))
    names = ["h_n"] if c0 is None else ["h_n", "c_n"]
    return {"out": out, **{k: v[0] for k, v in zip(names, last if c0 is not None else [last])}}


def own_rnn(kind, x, h0, c0=None, weight_ih_l0=None, weight_hh_l0=None, bias_ih_l0=None,
            bias_hh_l0=None):
    h, c, hs, sig = h0, c0, [], torch.sigmoid
    for t in range(x.shape[1]):
        a, b = x[:, t] @ weight_ih_l0.T + bias_ih_l0, h @ weight_hh_l0.T + bias_hh_l0
        if kind == "RNN":
            h = torch.tanh(a + b)
        elif kind == "GRU":  # rows: r, z, n
            (ar, az, an), (br, bz, bn) = a.chunk(3, 1), b.chunk(3, 1)
            z = sig(az + bz)
            h = (1 - z) * torch.tanh(an + sig(ar + br) * bn) + z * h
        else:  # LSTM, rows: i, f, g, o
            i, f, g, o = (a + b).chunk(4, 1)
            c = sig(f) * c + sig(i) * torch.tanh(g)
            h = sig(o) * torch.tanh(c)
        hs.append(h)
    return {"out": torch.stack(hs, 1), "h_n": h, **({} if c is None else {"c_n": c})}


def rnn():
    s = Subject("rnn")
    for kind, gates, order in [("RNN", 1, "tanh"), ("GRU", 3, "r,z,n"), ("LSTM", 4, "i,f,g,o")]:
        b, L, d, n = 3, 7, 5, 6
        g = Draw(s.name, kind)
        x = {"x": g.randn(b, L, d), "h0": g.randn(b, n, scale=.5)}
        if kind == "LSTM":
            x["c0"] = g.randn(b, n, scale=.5)
        x |= {"weight_ih_l0": g.randn(gates * n, d, scale=.5),
              "weight_hh_l0": g.randn(gates * n, n, scale=.5),
              "bias_ih_l0": g.randn(gates * n, scale=.5),
              "bias_hh_l0": g.randn(gates * n, scale=.5)}
        s.add(kind, x, lambda **kw: torch_rnn(kind, **kw), lambda **kw: own_rnn(kind, **kw),
              meta={"B": b, "L": L, "D": d, "H": n, "gate_rows": order})
    return s


# --------------------------------------------------------------- minGRU, minLSTM

def min_gates(k, k2):
    """(log keep, log take): minGRU when k2 is None (z = sigma(k)), else minLSTM f, i."""
    ls = F.logsigmoid
    if k2 is None:
        return ls(-k), ls(k)
    d = ls(k) - ls(k2)  # log f - log i;  f/(f+i) = sigma(d)
    return ls(d), ls(-d)


def min_sequential(h_pre, h0, k, k2=None):
    g = torch.where(h_pre >= 0, h_pre + .5, torch.sigmoid(h_pre))
    if k2 is None:
        z = torch.sigmoid(k)
        keep, take = 1 - z, z
    else:
        f, i = torch.sigmoid(k), torch.sigmoid(k2)
        keep, take = f / (f + i), i / (f + i)
    h, hs = h0, []
    for t in range(k.shape[1]):
        h = keep[:, t] * h + take[:, t] * g[:, t]
        hs.append(h)
    return {"out": torch.stack(hs, 1)}


def min_log_space(h_pre, h0, k, k2=None):
    keep, take = min_gates(k, k2)
    log_g = torch.where(h_pre >= 0, torch.log(F.relu(h_pre) + .5), F.logsigmoid(h_pre))
    a = torch.cumsum(keep, 1)
    v = torch.cat([torch.log(h0)[:, None], take + log_g - a], 1)
    return {"out": torch.exp(a + torch.logcumsumexp(v, 1)[:, 1:])}


def minrnn():
    s = Subject("minrnn", "torch, sequential form; the log-space form agrees to 1e-10")
    for kind in ["minGRU", "minLSTM"]:
        for name, b, L, n, scale in [("L7", 2, 7, 6, 1.), ("L65", 1, 65, 4, 1.),
                                     ("saturated_L7", 2, 7, 6, 8.), ("L1", 2, 1, 6, 1.),
                                     ("h0_zero_L7", 2, 7, 6, 1.)]:
            g = Draw(s.name, f"{kind}_{name}")
            pre = {"k": g.randn(b, L, n, scale=scale)} if kind == "minGRU" else {
                "k_f": g.randn(b, L, n, scale=scale), "k_i": g.randn(b, L, n, scale=scale)}
            x = {"h_pre": g.randn(b, L, n, scale=scale), "h0": g.rand(b, n, lo=.05, hi=2), **pre}
            fixed = ["h0"] if name.startswith("h0_zero") else []  # log h0 has no gradient at 0
            if fixed:
                x["h0"] *= 0
            assert np.all(x["h_pre"] != 0), "g has a kink at 0"
            order = list(x)
            call = lambda f: lambda **kw: f(*[kw[k] for k in order])
            s.add(f"{kind}_{name}", x, call(min_sequential), call(min_log_space), tol=LOG_TOL,
                  fixed=fixed, meta={"B": b, "L": L, "H": n})
    return s


# ------------------------------------------------------------------- operators

def rotary(x, base=10000.0):
    """GPT-NeoX: channel i is paired with i + d/2, i < d/2; angle t * base^(-2i/d)."""
    L, d = x.shape[-2:]
    i = torch.arange(d // 2, dtype=torch.float64)
    angle = torch.arange(L, dtype=torch.float64)[:, None] * base**(-2 * i / d)
    c, s, a, b = torch.cos(angle), torch.sin(angle), x[..., :d // 2], x[..., d // 2:]
    return torch.cat([a * c - b * s, b * c + a * s], -1)


def rotary_complex(x, base=10000.0):
    L, d = x.shape[-2:]
    freq = torch.tensor([base**(-2 * i / d) for i in range(d // 2)], dtype=torch.float64)
    turn = torch.exp(1j * torch.outer(torch.arange(L, dtype=torch.float64), freq))
    y = torch.complex(x[..., :d // 2], x[..., d // 2:]) * turn
    return torch.cat([y.real, y.imag], -1)


def own_attention(q, k, v):
    L, d = q.shape[-2:]
    score = q @ k.transpose(-1, -2) / math.sqrt(d)
    score = score.masked_fill(torch.ones(L, L).triu(1).bool(), -math.inf)
    e = torch.exp(score - score.detach().amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True) @ v


def add_op(s, name, x, f, own, **kw):
    s.add(name, x, lambda **a: {"out": f(**a)}, lambda **a: {"out": own(**a)}, **kw)


def ops_pointwise(s):
    ramp = np.concatenate([np.linspace(-30, 30, 41) + .013, [-40., -1e-3, 1e-3, 25., 40.]])
    sig, root2 = torch.sigmoid, math.sqrt(2)
    for name, f, own in [
        ("gelu_exact", F.gelu, lambda x: x / 2 * (1 + torch.erf(x / root2))),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), lambda x: x / 2 * (
            1 + torch.tanh(math.sqrt(2 / math.pi) * (x + .044715 * x**3)))),
        ("softplus", F.softplus, lambda x: torch.where(
            x > 20, x, torch.log1p(torch.exp(x.clamp(max=20))))),
        ("silu", F.silu, lambda x: x * sig(x)),
        ("tanh", torch.tanh, lambda x: 2 * sig(2 * x) - 1),
        ("sigmoid", sig, lambda x: torch.exp(-F.softplus(-x, threshold=1000))),
    ]:
        add_op(s, name, {"x": ramp}, lambda x: f(x), lambda x: own(x))


def ops_norm_linear(s):
    g = Draw(s.name, "norm")
    b, L, d = 2, 3, 7
    x, w, bias = g.randn(b, L, d) + .3, 1 + g.randn(d, scale=.3), g.randn(d)
    mean2 = lambda x: (x * x).mean(-1, keepdim=True)
    centre = lambda x: x - x.mean(-1, keepdim=True)
    add_op(s, "layer_norm", {"x": x, "weight": w, "bias": bias},
           lambda x, weight, bias: F.layer_norm(x, (d,), weight, bias, 1e-5),
           lambda x, weight, bias: centre(x) / torch.sqrt(mean2(centre(x)) + 1e-5) * weight + bias,
           meta={"eps": 1e-5})
    # 1e-3 times the input: eps is no longer negligible
    for name, scale in [("rms_norm", 1.), ("rms_norm_small", 1e-3)]:
        add_op(s, name, {"x": np.round(x * scale, 9), "weight": w},
               lambda x, weight: F.rms_norm(x, (d,), weight, 1e-5),
               lambda x, weight: x / torch.sqrt(mean2(x) + 1e-5) * weight, meta={"eps": 1e-5})
    p = {"x": g.randn(b, L, d), "weight": g.randn(5, d), "bias": g.randn(5)}
    add_op(s, "linear", p, lambda x, weight, bias: F.linear(x, weight, bias),
           lambda x, weight, bias: torch.einsum("bld,od->blo", x, weight) + bias)
    del p["bias"]
    add_op(s, "linear_no_bias", p, lambda x, weight: F.linear(x, weight),
           lambda x, weight: torch.einsum("bld,od->blo", x, weight))


def ops_conv(s):
    def conv(x, weight, bias):
        return F.conv1d(x, weight, bias, padding=3, groups=x.shape[1])[..., :x.shape[2]]

    def taps(x, weight, bias):  # y_t = bias + sum_j w_j x_{t-3+j}
        L, pad = x.shape[2], F.pad(x, (3, 0))
        return sum(weight[:, 0, j, None] * pad[..., j:j + L] for j in range(4)) + bias[:, None]

    for L in (9, 2):
        g = Draw(s.name, f"conv1d_L{L}")
        x = {"x": g.randn(2, 5, L), "weight": g.randn(5, 1, 4), "bias": g.randn(5)}
        add_op(s, f"conv1d_L{L}", x, conv, taps, meta={"layout": "x is (B,D,L)"})
        add_op(s, f"conv1d_silu_L{L}", x, lambda **kw: F.silu(conv(**kw)),
               lambda **kw: taps(**kw) * torch.sigmoid(taps(**kw)),
               meta={"layout": "x is (B,D,L)"})


def ops_loss(s):
    g = Draw(s.name, "loss")
    n, v = 8, 6
    target = np.array([3, 0, -100, 5, 3, -100, 1, 2])
    keep = torch.tensor(target != -100)

    def own(logits, target):
        lse = torch.logsumexp(logits[keep], 1)
        return (lse - logits[keep].gather(1, target[keep][:, None])[:, 0]).mean()

    for name, logits in [("cross_entropy", g.randn(n, v, scale=2.)),
                         ("cross_entropy_large", g.randn(n, v, scale=300.))]:
        add_op(s, name, {"logits": logits, "target": target},
               lambda logits, target: F.cross_entropy(logits, target, ignore_index=-100),
               own, fixed=["target"], meta={"ignore_index": -100, "reduction": "mean over scored"})
    add_op(s, "mse", {"x": g.randn(3, 4), "target": g.randn(3, 4)}, lambda x, target:
           F.mse_loss(x, target), lambda x, target: ((x - target)**2).sum() / 12)


def ops_embedding_attention(s):
    g = Draw(s.name, "embedding")
    x = {"index": np.array([[0, 3, 3, 6], [2, 0, 3, 5]]), "weight": g.randn(7, 3)}
    add_op(s, "embedding", x, lambda index, weight: F.embedding(index, weight),
           lambda index, weight: F.one_hot(index, 7).double() @ weight, fixed=["index"])
    g = Draw(s.name, "attention")
    rope = {"rope": "neox half-split, whole head dim", "base": 10000, "first_position": 0}
    qkv = {k: g.randn(2, 2, 6, 4) for k in "qkv"}
    sdpa = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)
    shape = {"layout": "q, k, v are (B,heads,L,head_dim)", "scale": "1/sqrt(head_dim)"}
    add_op(s, "rotary", {"x": qkv["q"]}, rotary, rotary_complex, meta=rope)
    add_op(s, "rotary_dim8", {"x": g.randn(1, 1, 5, 8)}, rotary, rotary_complex, meta=rope)
    add_op(s, "attention_causal", qkv, sdpa, own_attention, meta=shape)
    add_op(s, "attention_causal_rotary", qkv, lambda q, k, v: sdpa(rotary(q), rotary(k), v),
           lambda q, k, v: own_attention(rotary_complex(q), rotary_complex(k), v),
           meta=shape | rope)


def ops():
    s = Subject("ops")
    for part in (ops_pointwise, ops_norm_linear, ops_conv, ops_loss, ops_embedding_attention):
        part(s)
    return s


# ------------------------------------------------------------------- optimiser

def torch_adamw(p, grads, lr, betas, eps, wd, clip, rests):
    p = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in p.items()}
    opt = torch.optim.AdamW(p.values(), lr=lr, betas=betas, eps=eps, weight_decay=wd)
    track = {k: [] for k in [*p, "norm"]}
    for t in range(len(next(iter(grads.values())))):
        for k, v in p.items():
            v.grad = None if t in rests.get(k, []) else torch.tensor(grads[k][t])
        norm = torch.nn.utils.clip_grad_norm_(p.values(), clip or math.inf)
        opt.step()
        track["norm"].append(norm.item())
        for k, v in p.items():
            track[k].append(v.detach().numpy().copy())
    last = {f"{m}_{k}": opt.state[v][name].numpy() for k, v in p.items()
            for m, name in [("m", "exp_avg"), ("v", "exp_avg_sq")]}
    return {k: np.array(v) for k, v in track.items()} | last


def own_adamw(p, grads, lr, betas, eps, wd, clip, rests):
    p, count = dict(p), dict.fromkeys(p, 0)
    m, v = ({k: np.zeros_like(x) for k, x in p.items()} for _ in range(2))
    track = {k: [] for k in [*p, "norm"]}
    for t in range(len(next(iter(grads.values())))):
        here = [k for k in p if t not in rests.get(k, [])]
        norm = math.sqrt(sum((grads[k][t]**2).sum() for k in here))
        track["norm"].append(norm)
        scale = min(1.0, clip / (norm + 1e-6)) if clip else 1.0
        for k in here:
            count[k] += 1
            g = grads[k][t] * scale
            m[k] = betas[0] * m[k] + (1 - betas[0]) * g
            v[k] = betas[1] * v[k] + (1 - betas[1]) * g * g
            mh, vh = m[k] / (1 - betas[0]**count[k]), v[k] / (1 - betas[1]**count[k])
            p[k] = p[k] * (1 - lr * wd) - lr * mh / (np.sqrt(vh) + eps)
        for k in p:
            track[k].append(p[k])
    last = {f"{n}_{k}": a[k] for n, a in [("m", m), ("v", v)] for k in p}
    return {k: np.array(x) for k, x in track.items()} | last


def optim():
    s = Subject("optim")
    late = {"p0": [3, 8], "p1": [*range(10), 11]}  # steps without a gradient
    for name, wd, clip, rests in [("adamw_clip", .1, 1.0, {}), ("adamw_noclip", .1, None, {}),
                                  ("adam_nodecay_clip", 0., 1.0, {}), ("adamw_rests", .1, 1.0, late)]:
        g = Draw(s.name, name)
        shapes, steps = {"p0": (3, 4), "p1": (5,)}, 13 if rests else 5
        p = {k: g.randn(*v) for k, v in shapes.items()}
        # norms on both sides of the clip at 1
        scale = np.resize([2., .05, .7, .01, 1.], steps)
        grads = {k: np.round(g.randn(steps, *v) * scale.reshape(-1, *[1] * len(v)), 6)
                 for k, v in shapes.items()}
        hyper = {"lr": 1e-2, "betas": (.9, .95), "eps": 1e-8, "wd": wd, "clip": clip,
                 "rests": rests}
        got, want = torch_adamw(p, grads, **hyper), own_adamw(p, grads, **hyper)
        for k in got:
            check(f"optim/{name}: {k}", got[k], want[k], OWN_TOL)
        s.cases.append({
            "name": name,
            "inputs": {k: array(v) for k, v in [*p.items(), *(("g_" + k, v) for k, v in
                                                             grads.items())]},
            "outputs": {k: array(v) for k, v in got.items()}, "grads": {},
            "meta": {"steps": steps, "lr": 1e-2, "beta1": .9, "beta2": .95, "eps": 1e-8,
                     "weight_decay": wd, "max_norm": clip or 0,  # max_norm 0: no clipping
                     **({"rests": rests} if rests else {})}})
    return s


# ------------------------------------------------------------------------- S4D

def s4d_parts(log_dt, log_A_real, A_imag, C_re, C_im):
    A = torch.complex(-torch.exp(log_A_real), A_imag)  # (H, N/2)
    dtA = A * torch.exp(log_dt)[:, None]
    return A, dtA, torch.complex(C_re, C_im)


def s4d_conv(u, log_dt, log_A_real, A_imag, C_re, C_im, D):
    A, dtA, C = s4d_parts(log_dt, log_A_real, A_imag, C_re, C_im)
    L = u.shape[2]
    power = torch.exp(dtA[..., None] * torch.arange(L))
    K = 2 * ((C * (torch.exp(dtA) - 1) / A)[..., None] * power).sum(1).real  # (H, L)
    y = torch.fft.irfft(torch.fft.rfft(u, n=2 * L) * torch.fft.rfft(K, n=2 * L), n=2 * L)[..., :L]
    return {"out": y + u * D[:, None], "K": K}


def s4d_recurrent(u, log_dt, log_A_real, A_imag, C_re, C_im, D):
    A, dtA, C = s4d_parts(log_dt, log_A_real, A_imag, C_re, C_im)
    x, ys = torch.zeros(u.shape[0], *A.shape, dtype=A.dtype), []
    for t in range(u.shape[2]):
        x = torch.exp(dtA) * x + torch.expm1(dtA) / A * u[:, :, t, None]
        ys.append(2 * (C * x).sum(-1).real + D * u[:, :, t])
    return {"out": torch.stack(ys, 2)}


def s4d():
    s = Subject("s4d", "torch, FFT convolution with the zero-order-hold kernel (Gu et al. 2022, S4D)")
    for name, L in [("L10", 10), ("L1", 1), ("L65", 65)]:
        b, h, n = 2, 3, 4
        g = Draw(s.name, name)
        x = {"u": g.randn(b, h, L), "log_dt": g.rand(h, lo=math.log(1e-3), hi=math.log(1e-1)),
             "log_A_real": math.log(.5) + g.randn(h, n, scale=.2),
             "A_imag": np.round(np.pi * np.arange(n) + g.randn(h, n, scale=.2), 6),
             "C_re": g.randn(h, n), "C_im": g.randn(h, n), "D": g.randn(h)}
        s.add(name, x, s4d_conv, s4d_recurrent, meta={"B": b, "H": h, "half_N": n, "L": L})
    return s


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--mamba", help="git checkout of state-spaces/mamba")
    ap.add_argument("--minimal-lru", help="checkout of NicolasZucchet/minimal-LRU (needs jax, flax)")
    ap.add_argument("--out", default=".")
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.backends.opt_einsum.enabled = False  # else the last bits depend on its being installed
    subjects = [lru(), rnn(), minrnn(), ops(), optim(), s4d()]
    if args.mamba:
        ref, Mamba, source = load_mamba(args.mamba)
        subjects += [selective_scan(ref, source), mamba_block(Mamba, source)]
    else:
        print("no --mamba: selective_scan.json and mamba_block.json are left as they are")
    for s in subjects:
        s.write(args.out)
    if args.minimal_lru:
        check_minimal_lru(subjects[0], args.minimal_lru)


if __name__ == "__main__":
    main()
