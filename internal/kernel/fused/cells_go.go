package fused

import "github.com/gophersnake/gophersnake/internal/kernel/vec"

// The cells as calls of package vec: what the assembly computes, and what runs
// without it.

// gate returns gate i of a row of n-wide gates.
func gate(x []float32, i, n int) []float32 { return x[i*n : (i+1)*n] }

func lstmGo(sum, gates, c, cOut, h, hOut []float32) {
	n := len(c)
	vec.Sigmoid(gates[:2*n], sum[:2*n])
	vec.Tanh(gate(gates, 2, n), gate(sum, 2, n))
	vec.Sigmoid(gate(gates, 3, n), gate(sum, 3, n))
	vec.Mul(c, c, gate(gates, 1, n))
	vec.MulAdd(c, gate(gates, 0, n), gate(gates, 2, n))
	vec.Tanh(h[:n], c)
	vec.Mul(h[:n], h[:n], gate(gates, 3, n))
	copy(cOut[:n], c)
	copy(hOut[:n], h)
}

// lstmGradGo keeps what it needs for a while in s and x: sOut may be gates.
func lstmGradGo(x, dh, gates, c, cPrev, carry, s, sOut, dx []float32) {
	n := len(x)
	i, f, g, o := gate(gates, 0, n), gate(gates, 1, n), gate(gates, 2, n), gate(gates, 3, n)
	s, carry = s[:4*n], carry[:n]
	t, u := gate(s, 0, n), gate(s, 1, n)
	vec.AddTo(x, dh[:n])
	vec.Tanh(t, c[:n])
	vec.Mul(u, x, o)
	vec.TanhGrad(carry, t, u)
	vec.Mul(x, x, t)
	clear(s)
	vec.SigmoidGrad(gate(s, 3, n), o, x)
	vec.Mul(x, carry, g)
	vec.SigmoidGrad(gate(s, 0, n), i, x)
	vec.Mul(x, carry, i)
	vec.TanhGrad(gate(s, 2, n), g, x)
	vec.Mul(x, carry, cPrev[:n])
	vec.SigmoidGrad(gate(s, 1, n), f, x)
	vec.Mul(carry, carry, f)
	copy(sOut, s)
	vec.AddTo(dx[:4*n], s)
}

func gruGo(sum, xn, gates, h, hOut []float32) {
	n := len(h)
	r, z, tanh, q := gate(gates, 0, n), gate(gates, 1, n), gate(gates, 2, n), gate(gates, 3, n)
	copy(q, gate(sum, 2, n))
	vec.Sigmoid(gates[:2*n], sum[:2*n])
	copy(tanh, xn[:n])
	vec.MulAdd(tanh, r, q)
	vec.Tanh(tanh, tanh)
	vec.Sub(h, h, tanh)
	vec.Mul(h, h, z)
	vec.AddTo(h, tanh)
	copy(hOut[:n], h)
}

// gruGradGo keeps what it needs for a while in s and in the gates.
func gruGradGo(x, dh, gates, hPrev, s, sOut, dx []float32) {
	n := len(x)
	r, z, tanh, q := gate(gates, 0, n), gate(gates, 1, n), gate(gates, 2, n), gate(gates, 3, n)
	u, zx, a := gate(s, 0, n), gate(s, 1, n), gate(s, 2, n)
	vec.AddTo(x, dh[:n])
	vec.Mul(zx, z, x)
	vec.Sub(u, x, zx)
	clear(a)
	vec.TanhGrad(a, tanh, u)
	vec.AddTo(gate(dx, 2, n), a)
	vec.Sub(u, hPrev[:n], tanh)
	vec.Mul(u, u, x)
	copy(x, zx)
	clear(zx)
	vec.SigmoidGrad(zx, z, u)
	vec.Mul(q, a, q)
	clear(u)
	vec.SigmoidGrad(u, r, q)
	vec.Mul(a, a, r)
	vec.AddTo(dx[:2*n], s[:2*n])
	copy(sOut, s[:3*n])
}

func elmanGo(h, hOut []float32) {
	vec.Tanh(h, h)
	copy(hOut[:len(h)], h)
}

func elmanGradGo(x, dh, h, s, sOut, dx []float32) {
	n := len(x)
	clear(s[:n])
	vec.AddTo(x, dh[:n])
	vec.TanhGrad(s[:n], h[:n], x)
	copy(sOut, s[:n])
	vec.AddTo(dx[:n], s[:n])
}
