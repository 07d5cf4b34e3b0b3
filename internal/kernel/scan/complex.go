package scan

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// The chunk kernels of the complex selective scan in plain Go.
// A state has two planes; h, carry and da are (2, N, 8). With H the adjoint of
// h as the pair ∂/∂Re h + i ∂/∂Im h (the convention of LRU's appendix):
//
//	y_t = 2 Re Σ_n C h                    H_t = 2 g_t conj(C_t) + conj(Ā_{t+1}) H_{t+1}
//	dC_t = 2 g_t conj(h_t)                dB_t = Δ_t u_t H_t
//	S_t = H_t conj(Ā_t h_{t-1})           dA = Σ_t Δ_t S_t
//	dΔ_t = Σ_n Re(conj(A) S_t) + u_t Re(conj(B_t) H_t)

type complexVec struct{ re, im [lanes]float32 }

// complexLanes are the two planes of state n of x, (2, N, 8).
func complexLanes(x []float32, n, states int) (re, im *[lanes]float32) {
	return lane(x, n*lanes), lane(x, (states+n)*lanes)
}

// complexAt is the operand's vector for step t and state n.
func (o operand) complexAt(t, n int) complexVec {
	return complexVec{o.at(t, n), operand{v: o.im, ld: o.imLd, lanes: o.lanes}.at(t, n)}
}

// cosSin is cos and sin of 2π·turns: quadrants, then the polynomials of Cephes
// sinf and cosf on |x| <= π/4, relative error 1e-7.
func cosSin(turns float32) (c, s float32) {
	q := turns*4 + spec.RoundMagic
	k := math.Float32bits(q)
	x := (turns*4 - (q - spec.RoundMagic)) * (math.Pi / 2)
	y := x * x
	s = ((spec.Sin[0]*y+spec.Sin[1])*y+spec.Sin[2])*y*x + x
	c = ((spec.Cos[0]*y+spec.Cos[1])*y+spec.Cos[2])*y*y - y/2 + 1
	if k&1 != 0 {
		c, s = -s, c
	}
	if k&2 != 0 {
		c, s = -c, -s
	}
	return c, s
}

// complexDecay is Ā = exp(ΔA).
func (s *system) complexDecay(dt *[lanes]float32, n int) (abar complexVec) {
	re, im := complexLanes(s.a, n, s.n)
	for i := range lanes {
		r := exp2(dt[i] * re[i])
		cos, sin := cosSin(dt[i] * im[i])
		abar.re[i], abar.im[i] = r*cos, r*sin
	}
	return abar
}

// constantStep reports whether all steps of the chunk have the same Δ, as in
// static mode; then one Ā serves them all.
func constantStep(steps int, frame []float32) bool {
	for t := 1; t < steps; t++ {
		if *lane(frame, t*frameRow+spec.Dt) != *lane(frame, spec.Dt) {
			return false
		}
	}
	return true
}

func (goEngine) scanComplex(x extent, frame []float32, s system, h []float32) {
	s.eachHalf(x, frame, h, func(_ int, frame []float32, s system, h []float32) { scanComplexGo(x.steps, frame, s, h) })
}

func scanComplexGo(steps int, frame []float32, s system, h []float32) {
	static := constantStep(steps, frame)
	for n := range s.n {
		hr, hi := complexLanes(h, n, s.n)
		var abar complexVec
		for t := range steps {
			row := frame[t*frameRow:][:frameRow]
			if t == 0 || !static {
				abar = s.complexDecay(lane(row, spec.Dt), n)
			}
			advance(hr, hi, &abar, s.b.complexAt(t, n), lane(row, spec.DtU))
			c, y := s.c.complexAt(t, n), lane(row, spec.Y)
			for i := range lanes {
				y[i] += 2 * (c.re[i]*hr[i] - c.im[i]*hi[i])
			}
		}
	}
}

// advance is h = Ā h + Δu B.
func advance(hr, hi *[lanes]float32, abar *complexVec, b complexVec, du *[lanes]float32) {
	for i := range lanes {
		r := abar.re[i]*hr[i] - abar.im[i]*hi[i] + du[i]*b.re[i]
		hi[i] = abar.re[i]*hi[i] + abar.im[i]*hr[i] + du[i]*b.im[i]
		hr[i] = r
	}
}

// scanBackComplex is the adjoint of scanComplex; it also adds 2 Re C h to Y.
// tmp holds Ā and h_{t−1} of one state: (chunk, 4, 8).
func (goEngine) scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint) {
	s.eachHalf(x, frame, h, func(half int, frame []float32, s system, h []float32) {
		adj, static := adj.half(half*s.group), constantStep(x.steps, frame)
		for n := range s.n {
			recomputeComplex(x.steps, n, frame, &s, h, &adj, static)
			reverseComplex(x.steps, n, frame, &s, &adj)
		}
	})
}

// recomputeComplex runs state n forward, filling tmp and adding to dC.
func recomputeComplex(steps, n int, frame []float32, s *system, h []float32, adj *adjoint, static bool) {
	re, im := complexLanes(h, n, s.n)
	hr, hi := *re, *im
	var abar complexVec
	for t := range steps {
		row := frame[t*frameRow:][:frameRow]
		if t == 0 || !static {
			abar = s.complexDecay(lane(row, spec.Dt), n)
		}
		at := t * 4 * lanes
		*lane(adj.tmp, at), *lane(adj.tmp, at+lanes) = abar.re, abar.im
		*lane(adj.tmp, at+2*lanes), *lane(adj.tmp, at+3*lanes) = hr, hi
		advance(&hr, &hi, &abar, s.b.complexAt(t, n), lane(row, spec.DtU))
		c, y, g := s.c.complexAt(t, n), lane(row, spec.Y), lane(row, spec.G)
		dcr, dci := lane(adj.dc, t*adj.dcLd+n*lanes), lane(adj.dcIm, t*adj.dcLd+n*lanes)
		for i := range lanes {
			y[i] += 2 * (c.re[i]*hr[i] - c.im[i]*hi[i])
			dcr[i] += 2 * g[i] * hr[i]
			dci[i] -= 2 * g[i] * hi[i]
		}
	}
}

// reverseComplex runs the adjoint of state n back through the chunk.
func reverseComplex(steps, n int, frame []float32, s *system, adj *adjoint) {
	const turn = 2 * math.Pi * spec.Log2E // Im A is kept as A/2π, spec.Sd as A log2(e)
	ar, ai := complexLanes(s.a, n, s.n)
	hr, hi := complexLanes(adj.carry, n, s.n)
	dar, dai := complexLanes(adj.da, n, s.n)
	for t := steps - 1; t >= 0; t-- {
		row := frame[t*frameRow:][:frameRow]
		dt, du, g := lane(row, spec.Dt), lane(row, spec.DtU), lane(row, spec.G)
		sx, sd := lane(row, spec.Sx), lane(row, spec.Sd)
		at := t * 4 * lanes
		abr, abi := lane(adj.tmp, at), lane(adj.tmp, at+lanes)
		pr, pi := lane(adj.tmp, at+2*lanes), lane(adj.tmp, at+3*lanes)
		b, c := s.b.complexAt(t, n), s.c.complexAt(t, n)
		dbr, dbi := lane(adj.db, t*adj.dbLd+n*lanes), lane(adj.dbIm, t*adj.dbLd+n*lanes)
		for i := range lanes {
			x, y := hr[i]+2*g[i]*c.re[i], hi[i]-2*g[i]*c.im[i]
			dbr[i] += x * du[i]
			dbi[i] += y * du[i]
			sx[i] += x*b.re[i] + y*b.im[i]
			hr[i], hi[i] = abr[i]*x+abi[i]*y, abr[i]*y-abi[i]*x
			// S = conj(Ā) H conj(h_{t−1})
			sr, si := hr[i]*pr[i]+hi[i]*pi[i], hi[i]*pr[i]-hr[i]*pi[i]
			dar[i] += sr * dt[i]
			dai[i] += si * dt[i]
			sd[i] += sr*ar[i] + si*ai[i]*turn
		}
	}
}
