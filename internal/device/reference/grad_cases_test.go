package reference

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

var dev = &Device{}

// apart moves each x that lies within 0.1 of v away from it, so that no
// difference straddles a kink at v.
func apart(x []float64, v float64) []float64 {
	for i := range x {
		if math.Abs(x[i]-v) < 0.1 {
			x[i] = v + math.Copysign(0.1+math.Abs(x[i]-v), x[i]-v)
		}
	}
	return x
}

func applyCases() (cases []gradCase) {
	for k, f := range device.Funcs() {
		x := apart(random(newRand(uint64(k)), 15), 0)
		x[0], x[1] = 3, -3
		switch f {
		case device.Log:
			for i := range x {
				x[i] = 0.5 + math.Abs(x[i])
			}
		case device.Recip:
			for i := range x {
				x[i] += math.Copysign(0.5, x[i])
			}
		case device.Softplus: // the identity above 20
			x[0], x[1] = 21, 19
		}
		cases = append(cases, gradCase{"ApplyGrad", string(f), []input{{"x", x}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y := dev.Alloc(len(x))
				dev.Apply(f, in[0], y)
				if !dy.IsNil() {
					dev.ApplyGrad(f, in[0], y, dy, d[0])
				}
				return y
			}})
	}
	return cases
}

func pointwiseCases() []gradCase {
	const m, n = 3, 5
	r := newRand(1)
	ab := func() []input { return []input{{"a", random(r, n)}, {"b", random(r, n)}} }
	return append([]gradCase{
		{"MulGrad", "two", ab(), func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
			y := dev.Alloc(n)
			dev.Mul(in[0], in[1], y)
			if !dy.IsNil() {
				dev.MulGrad(in[0], in[1], dy, d[0], d[1])
			}
			return y
		}},
		{"MulGrad", "square", ab()[:1], func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
			y := dev.Alloc(n)
			dev.Mul(in[0], in[0], y)
			if !dy.IsNil() {
				dev.MulGrad(in[0], in[0], dy, d[0], d[0])
			}
			return y
		}},
		{"SiLUMulGrad", "two", ab(), func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
			y := dev.Alloc(n)
			dev.SiLUMul(in[0], in[1], y)
			if !dy.IsNil() {
				dev.SiLUMulGrad(in[0], in[1], dy, d[0], d[1])
			}
			return y
		}},
		{"MulRowGrad", "3x5", []input{{"x", random(r, m*n)}, {"row", random(r, n)}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y := dev.Alloc(m * n)
				dev.MulRow(m, n, in[0], in[1], y)
				if !dy.IsNil() {
					dev.MulRowGrad(m, n, in[0], in[1], dy, d[0], d[1])
				}
				return y
			}},
	}, reductionCases()...)
}

func reductionCases() []gradCase {
	r := newRand(2)
	cases := []gradCase{{"SumGrad", "7", []input{{"x", random(r, 7)}},
		func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
			y := dev.Alloc(1)
			dev.Sum(in[0], y)
			if !dy.IsNil() {
				dev.SumGrad(dy, d[0])
			}
			return y
		}}}
	for _, p := range []float64{0, 0.3, 0.9} {
		cases = append(cases, gradCase{"DropoutGrad", fmt.Sprint(p), []input{{"x", random(r, 33)}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y := dev.Alloc(33)
				dev.Dropout(p, 7, in[0], y)
				if !dy.IsNil() {
					dev.DropoutGrad(p, 7, dy, d[0])
				}
				return y
			}})
	}
	return cases
}

// denseCases checks EmbeddingGrad, and that the gradients which are written with
// MatMul and SumRows (dA = dC Bᵀ, dB = Aᵀ dC, dbias = column sums) are right for
// every way to store the operands.
func denseCases() []gradCase {
	r := newRand(3)
	tokens := []int32{2, 0, 2, 3, 2} // token 1 never, token 2 three times
	cases := []gradCase{{"EmbeddingGrad", "repeated", []input{{"w", random(r, 4*3)}},
		func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
			y := dev.Alloc(len(tokens) * 3)
			dev.Embedding(tokens, 3, in[0], y)
			if !dy.IsNil() {
				dev.EmbeddingGrad(tokens, 3, dy, d[0])
			}
			return y
		}}}
	for _, s := range [][3]int{{3, 5, 2}, {1, 1, 1}, {1, 4, 3}} {
		for i := range 4 {
			ta, tb := i&1 != 0, i&2 != 0
			in := []input{{"a", random(r, s[0]*s[2])}, {"b", random(r, s[2]*s[1])}, {"bias", random(r, s[1])}}
			cases = append(cases, gradCase{"MatMul", fmt.Sprint(s, ta, tb), in, matMulCase(ta, tb, s[0], s[1], s[2])})
		}
	}
	return cases
}

func matMulCase(ta, tb bool, m, n, k int) func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
	return func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
		c := dev.Alloc(m * n)
		dev.MatMul(ta, tb, m, n, k, in[0], in[1], in[2], c, false)
		if dy.IsNil() {
			return c
		}
		no := device.Buf{}
		if !d[0].IsNil() {
			if ta { // A is stored (k,m): dAᵀ = op(B) dCᵀ
				dev.MatMul(tb, true, k, m, n, in[1], dy, no, d[0], true)
			} else {
				dev.MatMul(false, !tb, m, k, n, dy, in[1], no, d[0], true)
			}
		}
		if !d[1].IsNil() {
			if tb { // B is stored (n,k): dBᵀ = dCᵀ op(A)
				dev.MatMul(true, ta, n, k, m, dy, in[0], no, d[1], true)
			} else {
				dev.MatMul(!ta, false, k, n, m, in[0], dy, no, d[1], true)
			}
		}
		if !d[2].IsNil() {
			dev.SumRows(m, n, dy, d[2])
		}
		return c
	}
}

func normCases() (cases []gradCase) {
	r := newRand(4)
	for _, s := range [][2]int{{3, 7}, {1, 1}, {2, 2}} {
		m, n := s[0], s[1]
		const eps = 1e-1 // large, so that a row of one element is not constant
		in := []input{{"x", random(r, m*n)}, {"w", random(r, n)}, {"b", random(r, n)}}
		cases = append(cases,
			gradCase{"RMSNormGrad", fmt.Sprint(s), in[:2], func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y, rstd := dev.Alloc(m*n), dev.Alloc(m)
				dev.RMSNorm(m, n, eps, in[0], in[1], y, rstd)
				if !dy.IsNil() {
					dev.RMSNormGrad(m, n, in[0], in[1], rstd, dy, d[0], d[1])
				}
				return y
			}},
			gradCase{"LayerNormGrad", fmt.Sprint(s), in, func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y, mean, rstd := dev.Alloc(m*n), dev.Alloc(m), dev.Alloc(m)
				dev.LayerNorm(m, n, eps, in[0], in[1], in[2], y, mean, rstd)
				if !dy.IsNil() {
					dev.LayerNormGrad(m, n, in[0], in[1], mean, rstd, dy, d[0], d[1], d[2])
				}
				return y
			}})
	}
	return cases
}

func lossCases() (cases []gradCase) {
	r := newRand(5)
	for name, targets := range map[string][]int32{
		"all": {4, 0, 2}, "some": {-1, 3, -100}, "none": {-1, -1, -1}, "one row": {1},
	} {
		m, v := len(targets), 5
		cases = append(cases, gradCase{"CrossEntropyGrad", name, []input{{"x", random(r, m*v)}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				lse, loss := dev.Alloc(m), dev.Alloc(1)
				dev.CrossEntropy(m, v, in[0], targets, lse, loss)
				if !dy.IsNil() {
					dev.CrossEntropyGrad(m, v, in[0], targets, lse, dy, d[0])
				}
				return loss
			}})
	}
	return cases
}

func convCases() (cases []gradCase) {
	const b, ch = 2, 3
	r := newRand(6)
	for _, k := range []int{1, 2, 4} {
		for _, l := range []int{1, 2, 7} {
			for mode := range 8 {
				c := device.Conv1D{B: b, L: l, D: ch, K: k, SiLU: mode&1 != 0}
				in := []input{{"x", random(r, b*l*ch)}, {"w", random(r, ch*k)}, {"bias", nil}}
				if mode&2 != 0 {
					in[2].x = random(r, ch)
				}
				if mode&4 != 0 {
					c.State = buf(random(r, b*(k-1)*ch))
				}
				name := fmt.Sprintf("K=%d,L=%d,silu=%t,bias=%t,state=%t", k, l, c.SiLU, mode&2 != 0, mode&4 != 0)
				cases = append(cases, gradCase{"Conv1DGrad", name, in,
					func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
						c := c
						c.X, c.W, c.Bias, c.Y = in[0], in[1], in[2], dev.Alloc(b*l*ch)
						dev.Conv1D(&c)
						if !dy.IsNil() {
							dev.Conv1DGrad(&c, dy, d[0], d[1], d[2])
						}
						return c.Y
					}})
			}
		}
	}
	return cases
}

func rotaryCases() (cases []gradCase) {
	for _, inverse := range []bool{false, true} {
		r := device.Rotary{B: 2, L: 3, H: 2, Dh: 6, Offset: 5, Base: 100}
		cases = append(cases, gradCase{"Rotary", fmt.Sprint(inverse), []input{{"x", random(newRand(7), 72)}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y := dev.Alloc(72)
				dev.Rotary(r, in[0], y, inverse, false)
				if !dy.IsNil() && !d[0].IsNil() {
					dev.Rotary(r, dy, d[0], !inverse, true)
				}
				return y
			}})
	}
	return cases
}

func attentionCases() (cases []gradCase) {
	r := newRand(8)
	for _, s := range []struct{ b, lq, lk, h, dh, spare int }{
		{2, 5, 5, 2, 3, 0}, {1, 1, 1, 1, 1, 0}, {2, 3, 7, 1, 4, 0}, {2, 1, 4, 3, 2, 5}, {2, 3, 5, 2, 3, 1},
	} {
		a := device.Attention{B: s.b, Lq: s.lq, Lk: s.lk, H: s.h, Dh: s.dh, KVStride: (s.lk+s.spare)*s.h*s.dh + s.spare}
		in := []input{{"q", random(r, s.b*s.lq*s.h*s.dh)}, {"k", random(r, s.b*a.KVStride)}, {"v", random(r, s.b*a.KVStride)}}
		cases = append(cases, gradCase{"AttentionGrad", fmt.Sprintf("%+v", s), in,
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				a := a
				a.Q, a.K, a.V = in[0], in[1], in[2]
				a.Y, a.LSE = dev.Alloc(in[0].Len()), dev.Alloc(a.B*a.H*a.Lq)
				dev.Attention(&a)
				if !dy.IsNil() {
					dev.AttentionGrad(&a, dy, d[0], d[1], d[2])
				}
				return a.Y
			}})
	}
	return cases
}

func meanPoolCases() (cases []gradCase) {
	for _, l := range []int{1, 5} {
		cases = append(cases, gradCase{"MeanPoolGrad", fmt.Sprint(l), []input{{"x", random(newRand(9), 2*l*3)}},
			func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
				y := dev.Alloc(2 * 3)
				dev.MeanPool(2, l, 3, in[0], y)
				if !dy.IsNil() {
					dev.MeanPoolGrad(2, l, 3, dy, d[0])
				}
				return y
			}})
	}
	return cases
}
