package cpu_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

func scanCases() []testCase {
	var cs []testCase
	for _, s := range [][3]int{{1, 1, 1}, {2, 5, 7}, {3, 64, 8}, {2, 65, 33}, {2, 300, 100}} {
		for i := range 8 {
			cs = append(cs, linearScanCases(s[0], s[1], s[2], i&1 != 0, i&2 != 0, i&4 != 0)...)
		}
	}
	for _, m := range selectiveModes() {
		cs = append(cs, selectiveCases(m)...)
	}
	return cs
}

func linearScanCases(b, l, d int, complex, varying, state bool) []testCase {
	mode := fmt.Sprintf("B=%d L=%d D=%d complex=%v varying=%v state=%v", b, l, d, complex, varying, state)
	n, na := b*l*d, d
	if varying {
		na = n
	}
	// |a| up to 0.98·√2/√2: long memory, but bounded.
	forward := func(e *env) *device.LinearScan {
		s := &device.LinearScan{B: b, L: l, D: d, Varying: varying,
			A: e.uniform(na, 0.3, 0.69), AIm: maybe(complex, e.uniform(na, -0.69, 0.69)),
			X: e.in(n), XIm: maybe(complex, e.in(n)),
			H0: maybe(state, e.in(b*d)), H0Im: maybe(state && complex, e.in(b*d)),
			H: e.out("h", n)}
		if complex {
			s.HIm = e.out("hIm", n)
		}
		e.LinearScan(s)
		return s
	}
	grad := func(e *env, a, x bool) {
		s := forward(e)
		g := &device.LinearScanGrad{DH: e.in(n), DHIm: maybe(complex, e.in(n))}
		if a {
			g.DA, g.DAIm = e.grad("da", na), e.gradIf(complex, "daIm", na)
		}
		if x {
			g.DX, g.DXIm = e.grad("dx", n), e.gradIf(complex, "dxIm", n)
		}
		e.LinearScanGrad(s, g)
	}
	zero := l == 1 && !state // da meets no state
	return []testCase{
		{op: "LinearScan", mode: mode, run: func(e *env) { forward(e) }},
		{op: "LinearScan", mode: mode + " in steps", run: func(e *env) {
			// Real only: stepwise gathers one plane.
			h0 := e.normal(b*d, 1)
			s := &device.LinearScan{B: b, L: 1, D: d, A: e.uniform(d, 0.3, 0.98), H0: h0}
			stepwise(e, b, l, e.in(n), d, e.out("h", n), d, func(x, h device.Buf) {
				s.X, s.H = x, h
				e.LinearScan(s)
				e.Copy(h0, h)
			})
		}},
		{op: "LinearScan", mode: mode + " in place", run: func(e *env) {
			x := e.result("h", e.in(n))
			e.LinearScan(&device.LinearScan{B: b, L: l, D: d, A: e.uniform(d, 0.3, 0.98), X: x, H: x})
		}},
		{op: "LinearScanGrad", mode: mode, zero: zero, run: func(e *env) { grad(e, true, true) }},
		{op: "LinearScanGrad", mode: mode + " only a", zero: zero, run: func(e *env) { grad(e, true, false) }},
		{op: "LinearScanGrad", mode: mode + " only x", run: func(e *env) { grad(e, false, true) }},
	}
}

// selectiveMode is one setting of every switch of the selective scan.
type selectiveMode struct {
	b, l, d, n                                    int
	softplus, signed, complex                     bool
	noDelta, noBias, constB, constC, realB, realC bool
	noSkip, noGate, noState                       bool
}

// selectiveModes is Mamba's setting at many shapes, every switch by itself in
// the real and the complex scan, and some together.
func selectiveModes() []selectiveMode {
	mamba := selectiveMode{b: 2, l: 37, d: 19, n: 5, softplus: true}
	var ms []selectiveMode
	for _, s := range [][4]int{{1, 1, 1, 1}, {1, 1, 8, 16}, {2, 2, 7, 3}, {3, 63, 9, 16}, {2, 64, 16, 8}, {1, 65, 33, 16}, {2, 100, 64, 16}, {1, 400, 70, 16}, {16, 24, 32, 16}} {
		m := mamba
		m.b, m.l, m.d, m.n = s[0], s[1], s[2], s[3]
		ms = append(ms, m)
	}
	for _, complex := range []bool{false, true} {
		base := mamba
		base.complex = complex
		set := func(f func(m *selectiveMode)) {
			m := base
			f(&m)
			ms = append(ms, m)
		}
		set(func(*selectiveMode) {})
		set(func(m *selectiveMode) { m.softplus = false })
		set(func(m *selectiveMode) { m.signed = !complex })
		set(func(m *selectiveMode) { m.noDelta = true })
		set(func(m *selectiveMode) { m.noDelta, m.softplus = true, false })
		set(func(m *selectiveMode) { m.noBias = true })
		set(func(m *selectiveMode) { m.constB = true })
		set(func(m *selectiveMode) { m.constC = true })
		set(func(m *selectiveMode) { m.noSkip = true })
		set(func(m *selectiveMode) { m.noGate = true })
		set(func(m *selectiveMode) { m.noState = true })
		set(func(m *selectiveMode) { m.noDelta, m.constB, m.constC, m.noGate = true, true, true, true })
		set(func(m *selectiveMode) { m.l, m.d, m.n = 120, 130, 16 })
		set(func(m *selectiveMode) { m.l, m.b = 1, 3 })
	}
	for _, i := range []int{1, 2, 3, 4, 5, 6, 7} {
		m := mamba
		m.complex, m.realB, m.realC = true, i&1 != 0, i&2 != 0
		m.constB, m.constC = i&4 != 0, i&4 != 0
		ms = append(ms, m)
	}
	return ms
}

func (m selectiveMode) String() string {
	s := fmt.Sprintf("B=%d L=%d D=%d N=%d", m.b, m.l, m.d, m.n)
	for _, f := range []struct {
		on   bool
		name string
	}{{m.softplus, "softplus"}, {m.signed, "signed"}, {m.complex, "complex"}, {m.noDelta, "noDelta"}, {m.noBias, "noBias"},
		{m.constB, "constB"}, {m.constC, "constC"}, {m.realB, "realB"}, {m.realC, "realC"},
		{m.noSkip, "noSkip"}, {m.noGate, "noGate"}, {m.noState, "noState"}} {
		if f.on {
			s += " " + f.name
		}
	}
	return s
}

// sizes returns the lengths of u, B and C, and the state.
func (m selectiveMode) sizes() (nu, nb, nc, nh int) {
	bc := func(constant bool) int {
		if constant {
			return m.d * m.n
		}
		return m.b * m.l * m.n
	}
	return m.b * m.l * m.d, bc(m.constB), bc(m.constC), m.b * m.d * m.n
}

// inputs returns a scan with all but Y and Saved.
func (m selectiveMode) inputs(e *env) *device.SelectiveScan {
	nu, nb, nc, nh := m.sizes()
	s := &device.SelectiveScan{B: m.b, L: m.l, D: m.d, N: m.n, Softplus: m.softplus, Signed: m.signed,
		BVarying: !m.constB, CVarying: !m.constC}
	s.U, s.A = e.in(nu), e.uniform(m.d*m.n, -2, -0.1)
	s.AIm = maybe(m.complex, e.uniform(m.d*m.n, -3, 3))
	if m.softplus {
		s.Delta, s.DeltaBias = maybe(!m.noDelta, e.in(nu)), maybe(!m.noBias, e.uniform(m.d, -3, 0))
	} else { // Δ itself: positive
		s.Delta, s.DeltaBias = maybe(!m.noDelta, e.uniform(nu, 0.01, 0.5)), maybe(!m.noBias, e.uniform(m.d, 0, 0.2))
	}
	s.Bm, s.BIm = e.in(nb), maybe(m.complex && !m.realB, e.in(nb))
	s.Cm, s.CIm = e.in(nc), maybe(m.complex && !m.realC, e.in(nc))
	s.Dskip, s.Z = maybe(!m.noSkip, e.in(m.d)), maybe(!m.noGate, e.in(nu))
	s.H0, s.H0Im = maybe(!m.noState, e.in(nh)), maybe(!m.noState && m.complex, e.in(nh))
	return s
}

// forward runs the scan with the state kept in place.
func (m selectiveMode) forward(e *env, saved bool) *device.SelectiveScan {
	nu, _, _, nh := m.sizes()
	s := m.inputs(e)
	s.Y = e.out("y", nu)
	if saved { // the gradient needs H0 as it was
		s.HT, s.HTIm = e.out("hT", nh), maybe(m.complex, e.nan(nh))
		s.Saved = e.nan(e.SelectiveScanSaved(s))
	} else {
		s.HT, s.HTIm = s.H0, s.H0Im
		if m.noState {
			s.HT, s.HTIm = e.nan(nh), maybe(m.complex, e.nan(nh))
		}
		e.result("hT", s.HT)
		if m.complex {
			e.result("hTIm", s.HTIm)
		}
	}
	e.SelectiveScan(s)
	return s
}

// grad asks for all gradients, or for none but those in only.
func (m selectiveMode) grad(e *env, only string) {
	nu, nb, nc, _ := m.sizes()
	s := m.forward(e, true)
	want := func(name string, like device.Buf, n int) device.Buf {
		if like.IsNil() || only != "" && only != name {
			return device.Buf{}
		}
		return e.grad(name, n)
	}
	e.SelectiveScanGrad(s, &device.SelectiveScanGrad{
		DY: e.in(nu), DU: want("du", s.U, nu), DDelta: want("ddelta", s.Delta, nu), DDeltaBias: want("dbias", s.DeltaBias, m.d),
		DA: want("da", s.A, m.d*m.n), DAIm: want("da", s.AIm, m.d*m.n),
		DB: want("db", s.Bm, nb), DBIm: want("db", s.BIm, nb), DC: want("dc", s.Cm, nc), DCIm: want("dc", s.CIm, nc),
		DDskip: want("dskip", s.Dskip, m.d), DZ: want("dz", s.Z, nu)})
}

// again is the gradient that computes y as well, over dy.
func (m selectiveMode) again(e *env) {
	s, nu := m.forward(e, true), m.b*m.l*m.d
	dy := e.result("y again", e.in(nu))
	e.SelectiveScanGrad(s, &device.SelectiveScanGrad{DY: dy, Y: dy, DU: e.grad("du", nu), DZ: e.grad("dz", nu)})
	e.SelectiveScanGrad(s, &device.SelectiveScanGrad{DY: e.in(nu), Y: e.out("y alone", nu)})
}

func selectiveCases(m selectiveMode) []testCase {
	zero := m.l == 1 && m.noState // dA meets no state
	cs := []testCase{
		{op: "SelectiveScan", mode: m.String(), run: func(e *env) { m.forward(e, false) }},
		{op: "SelectiveScanGrad", mode: m.String(), zero: zero, run: func(e *env) { m.grad(e, "") }},
		{op: "SelectiveScanSaved", mode: m.String(), run: func(e *env) {
			if e.SelectiveScanSaved(m.inputs(e)) > 0 {
				e.values("positive", 1)
			}
		}},
	}
	if !m.noGate {
		cs = append(cs, testCase{op: "SelectiveScanGrad", mode: m.String() + " and y", run: m.again})
	}
	if m.l == 37 && m.b == 2 {
		for _, only := range []string{"du", "ddelta", "dbias", "da", "db", "dc", "dskip", "dz"} {
			cs = append(cs, testCase{op: "SelectiveScanGrad", mode: m.String() + " only " + only, zero: zero,
				run: func(e *env) { m.grad(e, only) }})
		}
		cs = append(cs, testCase{op: "SelectiveScan", mode: m.String() + " no state wanted", run: func(e *env) {
			s := m.inputs(e)
			s.Y = e.out("y", m.b*m.l*m.d)
			e.SelectiveScan(s)
		}})
	}
	return cs
}
