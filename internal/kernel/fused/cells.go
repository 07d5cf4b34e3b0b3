package fused

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// LSTM is one step of one row of an LSTM with gates i, f, g, o (4n):
//
//	gates = σ(sum), of g tanh;  c = f ⊙ c + i ⊙ g;  h = o ⊙ tanh(c)
//
// gates may be sum.
func LSTM(sum, gates, c, cOut, h, hOut []float32) {
	n := len(c)
	switch {
	case isa.UseAVX512:
		lstmAVX512(n, at(sum, 4*n), at(gates, 4*n), at(c, n), at(cOut, n), at(h, n), at(hOut, n))
	case isa.UseAVX2:
		lstmAVX2(n, at(sum, 4*n), at(gates, 4*n), at(c, n), at(cOut, n), at(h, n), at(hOut, n))
	default:
		lstmGo(sum, gates, c, cOut, h, hOut)
	}
}

// LSTMGrad is the gradient of LSTM, c being the cell's state after the step,
// cPrev before it, and carry the gradient that reaches c from later steps,
// turned into that for earlier ones:
//
//	X = x + dh;  C = carry + X o (1 − tanh²c);  carry = f C
//	s_i = C g i(1−i);  s_f = C cPrev f(1−f);  s_g = C i (1−g²);  s_o = X tanh(c) o(1−o);  dx += s
//
// It may destroy x, and sOut may be gates.
func LSTMGrad(x, dh, gates, c, cPrev, carry, s, sOut, dx []float32) {
	n := len(x)
	switch {
	case isa.UseAVX512:
		lstmGradAVX512(n, at(x, n), at(dh, n), at(gates, 4*n), at(c, n), at(cPrev, n), at(carry, n),
			at(s, 4*n), at(sOut, 4*n), at(dx, 4*n))
	case isa.UseAVX2:
		lstmGradAVX2(n, at(x, n), at(dh, n), at(gates, 4*n), at(c, n), at(cPrev, n), at(carry, n),
			at(s, 4*n), at(sOut, 4*n), at(dx, 4*n))
	default:
		lstmGradGo(x, dh, gates, c, cPrev, carry, s, sOut, dx)
	}
}

// GRU is one step of one row of a GRU with gates r, z, n (3n), xn (n) being
// the input's share of the last:
//
//	r, z = σ(sum);  q = sum_n;  n = tanh(xn + r ⊙ q);  h = n + z ⊙ (h − n)
//
// gates (4n) gets r, z, n and q.
func GRU(sum, xn, gates, h, hOut []float32) {
	n := len(h)
	switch {
	case isa.UseAVX512:
		gruAVX512(n, at(sum, 3*n), at(xn, n), at(gates, 4*n), at(h, n), at(hOut, n))
	case isa.UseAVX2:
		gruAVX2(n, at(sum, 3*n), at(xn, n), at(gates, 4*n), at(h, n), at(hOut, n))
	default:
		gruGo(sum, xn, gates, h, hOut)
	}
}

// GRUGrad is the gradient of GRU, hPrev being the state before the step:
//
//	X = x + dh;  a = X (1−z)(1−n²);  x = z X
//	s_r = a q r(1−r);  s_z = X (hPrev−n) z(1−z);  s_n = a r;  dx += (s_r, s_z, a)
//
// It may destroy gates, and sOut may be gates.
func GRUGrad(x, dh, gates, hPrev, s, sOut, dx []float32) {
	n := len(x)
	switch {
	case isa.UseAVX512:
		gruGradAVX512(n, at(x, n), at(dh, n), at(gates, 4*n), at(hPrev, n), at(s, 3*n), at(sOut, 3*n), at(dx, 3*n))
	case isa.UseAVX2:
		gruGradAVX2(n, at(x, n), at(dh, n), at(gates, 4*n), at(hPrev, n), at(s, 3*n), at(sOut, 3*n), at(dx, 3*n))
	default:
		gruGradGo(x, dh, gates, hPrev, s, sOut, dx)
	}
}

// Elman sets h and hOut to tanh(h).
func Elman(h, hOut []float32) {
	n := len(h)
	switch {
	case isa.UseAVX512:
		elmanAVX512(n, at(h, n), at(hOut, n))
	case isa.UseAVX2:
		elmanAVX2(n, at(h, n), at(hOut, n))
	default:
		elmanGo(h, hOut)
	}
}

// ElmanGrad is the gradient of Elman: s = (x + dh)(1 − h²), dx += s. It may
// destroy x.
func ElmanGrad(x, dh, h, s, sOut, dx []float32) {
	n := len(x)
	switch {
	case isa.UseAVX512:
		elmanGradAVX512(n, at(x, n), at(dh, n), at(h, n), at(s, n), at(sOut, n), at(dx, n))
	case isa.UseAVX2:
		elmanGradAVX2(n, at(x, n), at(dh, n), at(h, n), at(s, n), at(sOut, n), at(dx, n))
	default:
		elmanGradGo(x, dh, h, s, sOut, dx)
	}
}
