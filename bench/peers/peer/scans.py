"""Ways to compute a recurrence along time in PyTorch, h_t = a_t h_{t-1} + x_t.

Shapes: B batch, L length, E channels, N states a channel. The selective scans
take delta (B,L,E) after softplus, A (E,N), Bm and Cm (B,L,N), u (B,L,E) and
return sum_n C_t[n] h_t[n], (B,L,E).
"""
import torch
from mambapy.pscan import pscan


def discretise(delta, A, Bm, u):
    a = torch.exp(delta.unsqueeze(-1) * A)
    return a, (delta * u).unsqueeze(-1) * Bm.unsqueeze(2)


def selective_sequential(delta, A, Bm, Cm, u):
    """One step after the other, products for all steps at once before and after."""
    a, x = discretise(delta, A, Bm, u)
    h = torch.zeros_like(x[:, 0])
    hs = []
    for at, xt in zip(a.unbind(1), x.unbind(1)):
        h = at * h + xt
        hs.append(h)
    return (torch.stack(hs, 1) @ Cm.unsqueeze(-1)).squeeze(-1)


def selective_pscan(delta, A, Bm, Cm, u):
    """mambapy's parallel scan (Blelloch), with its own backward."""
    a, x = discretise(delta, A, Bm, u)
    return (pscan(a, x) @ Cm.unsqueeze(-1)).squeeze(-1)


CHUNK = 16


def _chunk(h, delta, A, Bm, Cm, u):
    ys = []
    for t in range(delta.shape[1]):
        h = torch.exp(delta[:, t].unsqueeze(-1) * A) * h + (delta[:, t] * u[:, t]).unsqueeze(-1) * Bm[:, t].unsqueeze(1)
        ys.append((h * Cm[:, t].unsqueeze(1)).sum(-1))
    return h, torch.stack(ys, 1)


_compiled = {}


def selective_compiled(delta, A, Bm, Cm, u):
    """The sequential loop, 16 steps at a time in one kernel made by torch.compile."""
    if "chunk" not in _compiled:
        _compiled["chunk"] = torch.compile(_chunk, dynamic=False)
    h = delta.new_zeros(delta.shape[0], delta.shape[2], A.shape[1])
    ys = []
    for d, b, c, v in zip(delta.split(CHUNK, 1), Bm.split(CHUNK, 1), Cm.split(CHUNK, 1), u.split(CHUNK, 1)):
        h, y = _compiled["chunk"](h, d, A, b, c, v)
        ys.append(y)
    return torch.cat(ys, 1)


SELECTIVE = {"sequential": selective_sequential, "pscan": selective_pscan, "compiled": selective_compiled}


def linear_sequential(lam, x):
    """x (B,L,N) complex, lam (N) complex."""
    h = torch.zeros_like(x[:, 0])
    hs = []
    for xt in x.unbind(1):
        h = lam * h + xt
        hs.append(h)
    return torch.stack(hs, 1)


def linear_pscan(lam, x):
    """Doubling: after step k every h_t holds the last 2^k inputs. lam is the same
    for all t, so its powers are a vector."""
    step, power = 1, lam
    while step < x.shape[1]:
        x = x + torch.nn.functional.pad(power * x[:, :-step], (0, 0, step, 0))
        step, power = 2 * step, power * power
    return x


def linear_fft(lam, x):
    """The convolution with the powers of lam, by FFT."""
    length = x.shape[1]
    k = torch.arange(length).unsqueeze(-1)
    kernel = torch.exp(torch.log(lam) * k)
    return torch.fft.ifft(torch.fft.fft(x, 2 * length, dim=1) * torch.fft.fft(kernel, 2 * length, dim=0), dim=1)[:, :length]


LINEAR = {"sequential": linear_sequential, "pscan": linear_pscan, "fft": linear_fft}
