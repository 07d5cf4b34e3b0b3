package scan

import "github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

// goEngine is the portable engine. It follows the assembly's layout and
// formulas lane by lane.
type goEngine struct{}

// rows calls f with every row of one half after the other.
func (x extent) rows(frame []float32, f func(half, t int, row []float32)) {
	for half := range x.halves {
		for t := range x.steps {
			f(half, t, frame[half*frameSize+t*frameRow:][:frameRow])
		}
	}
}

// at is the vector of a half of step t.
func (p plane) at(half, t int) *[lanes]float32 { return lane(p.v, t*p.ld+half*lanes) }

func (goEngine) prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32) {
	x.rows(frame, func(half, t int, row []float32) {
		ut, pre, add := u.at(half, t), delta.at(half, t), lane(bias, half*lanes)
		dt, du, sig := lane(row, spec.Dt), lane(row, spec.DtU), lane(row, spec.Sig)
		for i := range lanes {
			x := pre[i] + add[i]
			switch mode {
			case deltaRaw:
				dt[i], sig[i] = x, 1
			case deltaSoftplus:
				dt[i] = softplus(x)
			default:
				dt[i], sig[i] = softplus(x), sigmoid(x)
			}
			du[i] = dt[i] * ut[i]
		}
		*lane(row, spec.U) = *ut
		for _, f := range [...]int{spec.Y, spec.Sx, spec.Sd} {
			*lane(row, f) = [lanes]float32{}
		}
	})
}

// at is the operand's vector for step t and state n.
func (o operand) at(t, n int) [lanes]float32 {
	if o.lanes {
		return *lane(o.v, n*lanes)
	}
	v := o.v[t*o.ld+n]
	return [lanes]float32{v, v, v, v, v, v, v, v}
}

// decay is Ā = 2^(Δ A log2(e)), or 2Ā−1 when signed.
func (s *system) decay(dt, a *[lanes]float32) (abar [lanes]float32) {
	for i := range lanes {
		abar[i] = exp2(dt[i] * a[i])
		if s.signed {
			abar[i] = 2*abar[i] - 1
		}
	}
	return abar
}

func (goEngine) scan(x extent, frame []float32, s system, h []float32) {
	s.eachHalf(x, frame, h, func(_ int, frame []float32, s system, h []float32) { scanGo(x.steps, frame, s, h) })
}

func scanGo(steps int, frame []float32, s system, h []float32) {
	for n := range s.n {
		a, hn := lane(s.a, n*lanes), lane(h, n*lanes)
		for t := range steps {
			row := frame[t*frameRow:][:frameRow]
			du, y := lane(row, spec.DtU), lane(row, spec.Y)
			abar, b, c := s.decay(lane(row, spec.Dt), a), s.b.at(t, n), s.c.at(t, n)
			for i := range lanes {
				hn[i] = abar[i]*hn[i] + du[i]*b[i]
				y[i] += c[i] * hn[i]
			}
		}
	}
}

func (goEngine) step(channels int, frame []float32, r stepRows) {
	for d := range channels {
		at := d/lanes*frameRow + d%lanes
		dt, du := frame[at+spec.Dt]*spec.Log2E, frame[at+spec.DtU]
		a, h := r.a[d*r.n:][:r.n], r.h[d*r.n:][:r.n]
		b, c := r.b[d*r.bLd:][:r.n], r.c[d*r.cLd:][:r.n]
		y := r.dskip[d] * frame[at+spec.U]
		for n := range h {
			abar := exp2(dt * a[n])
			if r.signed {
				abar = 2*abar - 1
			}
			h[n] = abar*h[n] + du*b[n]
			y += c[n] * h[n]
		}
		frame[at+spec.Y] = y
	}
}

func (goEngine) finish(x extent, frame []float32, y, z plane, dskip []float32) {
	x.rows(frame, func(half, t int, row []float32) {
		out, acc, u, skip := y.at(half, t), lane(row, spec.Y), lane(row, spec.U), lane(dskip, half*lanes)
		for i := range lanes {
			v := acc[i] + skip[i]*u[i]
			if z.v != nil {
				zi := z.at(half, t)[i] // before out[i], which may be the same
				v *= zi * sigmoid(zi)
			}
			out[i] = v
		}
	})
}

func (goEngine) seed(x extent, frame []float32, dy, z plane) {
	x.rows(frame, func(half, t int, row []float32) {
		g, d := lane(row, spec.G), dy.at(half, t)
		if z.v == nil {
			*g = *d
			return
		}
		gz, zt := lane(row, spec.GZ), z.at(half, t)
		for i := range lanes {
			sig := sigmoid(zt[i])
			g[i] = d[i] * (zt[i] * sig)
			gz[i] = d[i] * (sig * (1 + zt[i]*(1-sig)))
		}
	})
}

func (goEngine) scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool) {
	s.eachHalf(x, frame, h, func(half int, frame []float32, s system, h []float32) {
		adj := adj.half(half * s.group)
		for n := range s.n {
			recompute(x.steps, n, frame, &s, *lane(h, n*lanes), &adj, gated)
			reverse(x.steps, n, frame, &s, &adj)
		}
	})
}

// recompute runs state n forward from h, leaving Ā and h_{t−1} in adj.tmp and
// adding g h to dC.
func recompute(steps, n int, frame []float32, s *system, h [lanes]float32, adj *adjoint, gated bool) {
	a := lane(s.a, n*lanes)
	for t := range steps {
		row := frame[t*frameRow:][:frameRow]
		du, y, g := lane(row, spec.DtU), lane(row, spec.Y), lane(row, spec.G)
		abar, b := s.decay(lane(row, spec.Dt), a), s.b.at(t, n)
		*lane(adj.tmp, t*2*lanes), *lane(adj.tmp, t*2*lanes+lanes) = abar, h
		dc := lane(adj.dc, t*adj.dcLd+n*lanes)
		for i := range lanes {
			h[i] = abar[i]*h[i] + du[i]*b[i]
			dc[i] += g[i] * h[i]
		}
		if gated {
			c := s.c.at(t, n)
			for i := range lanes {
				y[i] += c[i] * h[i]
			}
		}
	}
}

// reverse runs the adjoint of state n back through the chunk.
func reverse(steps, n int, frame []float32, s *system, adj *adjoint) {
	a, carry, da := lane(s.a, n*lanes), lane(adj.carry, n*lanes), lane(adj.da, n*lanes)
	for t := steps - 1; t >= 0; t-- {
		row := frame[t*frameRow:][:frameRow]
		dt, du, g := lane(row, spec.Dt), lane(row, spec.DtU), lane(row, spec.G)
		sx, sd := lane(row, spec.Sx), lane(row, spec.Sd)
		b, c := s.b.at(t, n), s.c.at(t, n)
		abar, prev := lane(adj.tmp, t*2*lanes), lane(adj.tmp, t*2*lanes+lanes)
		db := lane(adj.db, t*adj.dbLd+n*lanes)
		for i := range lanes {
			x := carry[i] + c[i]*g[i]
			db[i] += x * du[i]
			sx[i] += x * b[i]
			carry[i] = x * abar[i]
			w := carry[i]
			if s.signed {
				w += x
			}
			w *= prev[i]
			sd[i] += w * a[i]
			da[i] += w * dt[i]
		}
	}
}

func (goEngine) finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool) {
	x.rows(frame, func(half, t int, row []float32) {
		skip, bias, dsk := lane(dskip, half*lanes), lane(dbias, half*lanes), lane(ddskip, half*lanes)
		dt, u, g := lane(row, spec.Dt), lane(row, spec.U), lane(row, spec.G)
		sx, sd, sig := lane(row, spec.Sx), lane(row, spec.Sd), lane(row, spec.Sig)
		dut, ddt := du.at(half, t), ddelta.at(half, t)
		for i := range lanes {
			d := (sd[i]*spec.Ln2 + sx[i]*u[i]) * sig[i]
			ddt[i] += d
			bias[i] += d
			dut[i] += sx[i]*dt[i] + skip[i]*g[i]
			dsk[i] += g[i] * u[i]
		}
		if !gated {
			return
		}
		gz, y, dzt := lane(row, spec.GZ), lane(row, spec.Y), dz.at(half, t)
		for i := range lanes {
			dzt[i] += gz[i] * (y[i] + skip[i]*u[i])
		}
	})
}

func (goEngine) sumLanes(dst, src []float32) {
	for i := range dst {
		v := lane(src, i*lanes)
		dst[i] += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]))
	}
}
