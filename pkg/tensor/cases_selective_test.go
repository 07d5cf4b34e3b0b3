package tensor_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// selective is one setting of every switch of Tape.SelectiveScan.
type selective struct {
	b, l, d, n                                   int
	noDelta, constB, constC, softplus, signed    bool
	complex, realB, realC, bias, skip, z, states bool
	groups                                       int  // axis G of B and C unless constant or shared; 0: no such axis
	sharedB, sharedC                             bool // (B,L,N) all the same
	delta, offset, a                             dist // instead of the usual ones
}

func (m selective) String() string {
	s := fmt.Sprintf("B=%d L=%d D=%d N=%d", m.b, m.l, m.d, m.n)
	if m.groups > 0 {
		s += fmt.Sprintf(" G=%d", m.groups)
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{m.noDelta, "noDelta"}, {m.constB, "constB"}, {m.constC, "constC"}, {m.softplus, "softplus"}, {m.signed, "signed"},
		{m.complex, "complex"}, {m.realB, "realB"}, {m.realC, "realC"}, {m.bias, "bias"}, {m.skip, "skip"}, {m.z, "z"}, {m.states, "state"},
		{m.sharedB, "sharedB"}, {m.sharedC, "sharedC"}} {
		if f.on {
			s += " " + f.name
		}
	}
	return s
}

// inputs returns the arrays of the setting.
func (m selective) inputs() []input {
	a, delta, bias := uniform(-2, -0.1), uniform(0.01, 0.5), uniform(0, 0.2)
	if m.softplus {
		delta, bias = gauss(1), uniform(-3, 0)
	}
	if m.a != nil {
		a = m.a
	}
	if m.delta != nil {
		delta = m.delta
	}
	if m.offset != nil {
		bias = m.offset
	}
	shape := func(constant, shared bool) []int {
		switch {
		case constant:
			return []int{m.d, m.n}
		case m.groups > 0 && !shared:
			return []int{m.b, m.l, m.groups, m.n}
		}
		return []int{m.b, m.l, m.n}
	}
	bShape, cShape := shape(m.constB, m.sharedB), shape(m.constC, m.sharedC)
	all := []input{in("U", gauss(1), m.b, m.l, m.d), in("A", a, m.d, m.n), in("B", gauss(1), bShape...), in("C", gauss(1), cShape...)}
	add := func(on bool, x input) {
		if on {
			all = append(all, x)
		}
	}
	add(!m.noDelta, in("Delta", delta, m.b, m.l, m.d))
	add(m.bias || m.noDelta, in("DeltaBias", bias, m.d))
	add(m.complex, in("AIm", uniform(-3, 3), m.d, m.n))
	add(m.complex && !m.realB, in("BIm", gauss(1), bShape...))
	add(m.complex && !m.realC, in("CIm", gauss(1), cShape...))
	add(m.skip, in("Dskip", gauss(1), m.d))
	add(m.z, in("Z", gauss(1), m.b, m.l, m.d))
	add(m.states, fixed("h", gauss(1), m.b, m.d, m.n))
	add(m.states && m.complex, fixed("hIm", gauss(1), m.b, m.d, m.n))
	return all
}

// scan is the operation of the setting on a run's inputs.
func (m selective) scan(r *run) *tensor.Tensor {
	return r.tp.SelectiveScan(m.settings(r))
}

func (m selective) settings(r *run) tensor.SelectiveScan {
	return tensor.SelectiveScan{U: r.v("U"), Delta: r.v("Delta"), DeltaBias: r.v("DeltaBias"),
		Softplus: m.softplus, Signed: m.signed, A: r.v("A"), AIm: r.v("AIm"), B: r.v("B"), BIm: r.v("BIm"),
		C: r.v("C"), CIm: r.v("CIm"), Dskip: r.v("Dskip"), Z: r.v("Z"), State: r.state("h"), StateIm: r.state("hIm")}
}

func (m selective) opCase(name string) opCase {
	c := opCase{op: "SelectiveScan", mode: name + m.String(), in: m.inputs(), run: one(m.scan)}
	if m.l == 1 && !m.states {
		c.zero = []string{"A"}
		if m.complex {
			c.zero = append(c.zero, "AIm")
		}
	}
	return c
}

// selectiveModeCases is every combination of what is selective with every kind
// of A, the other switches going through all their combinations meanwhile, then
// each of those by itself.
func selectiveModeCases() []opCase {
	var cs []opCase
	for i := range 8 * 3 * 4 {
		parts, kind, rest := i%8, i/8%3, i*11%32
		m := selective{b: 2, l: 5, d: 3, n: 2, noDelta: parts&1 != 0, constB: parts&2 != 0, constC: parts&4 != 0,
			softplus: rest&1 != 0, bias: rest&2 != 0, skip: rest&4 != 0, z: rest&8 != 0, states: rest&16 != 0}
		m.signed, m.complex = kind == 1, kind == 2
		if m.complex {
			m.realB, m.realC = i/24&1 != 0, i/24&2 != 0
		}
		cs = append(cs, m.opCase(fmt.Sprintf("%d ", i)))
	}
	for _, complex := range []bool{false, true} {
		for i := range 6 {
			m := selective{b: 2, l: 5, d: 3, n: 2, complex: complex}
			*[]*bool{&m.softplus, &m.bias, &m.skip, &m.z, &m.states, new(bool)}[i] = true
			cs = append(cs, m.opCase(fmt.Sprintf("alone %d ", i)))
		}
	}
	return cs
}

// selectiveGroupCases is every way in which B and C can have groups, and how
// many, with every kind of A, the other switches going through all their
// combinations meanwhile; then two lengths of many check-points.
func selectiveGroupCases() []opCase {
	var cs []opCase
	for i := range 5 * 3 * 4 {
		ways, kind, rest := i%5, i/5%3, i*11%64
		m := selective{b: 2, l: 5, d: 6, n: 2, groups: []int{1, 2, 3, 6}[i/15],
			constB: ways == 1, constC: ways == 2, sharedB: ways == 3, sharedC: ways == 4, signed: kind == 1, complex: kind == 2,
			softplus: rest&1 != 0, bias: rest&2 != 0, skip: rest&4 != 0, z: rest&8 != 0, states: rest&16 != 0, noDelta: rest&32 != 0}
		if m.complex {
			m.realB, m.realC = i/15&1 != 0, i/15&2 != 0
		}
		cs = append(cs, m.opCase(fmt.Sprintf("groups %d ", i)))
	}
	for _, l := range []int{1, 65, 100} {
		for _, complex := range []bool{false, true} {
			m := selective{b: 2, l: l, d: 18, n: 5, groups: 2, complex: complex, softplus: true, bias: true, skip: true, z: true, states: true}
			cs = append(cs, m.opCase("groups "))
		}
	}
	return cs
}

// selectiveSizeCases is Mamba's setting and S4D's at many shapes.
func selectiveSizeCases() []opCase {
	var cs []opCase
	for _, s := range [][4]int{{1, 1, 1, 1}, {3, 1, 9, 16}, {2, 2, 7, 3}, {2, 15, 8, 4}, {1, 16, 5, 8}, {1, 17, 33, 5}, {2, 63, 9, 16}, {1, 64, 3, 1}, {2, 65, 17, 16}, {1, 100, 70, 7}, {4, 33, 40, 16}} {
		for _, states := range []bool{false, true} {
			m := selective{b: s[0], l: s[1], d: s[2], n: s[3], softplus: true, bias: true, skip: true, z: true, states: states}
			cs = append(cs, m.opCase(""))
			m.signed, m.constC = true, true
			cs = append(cs, m.opCase(""))
			m.signed, m.complex, m.noDelta, m.constB = false, true, true, true
			cs = append(cs, m.opCase(""))
		}
	}
	return cs
}

func selectiveExtremeCases() []opCase {
	base := selective{b: 2, l: 20, d: 3, n: 4, softplus: true, bias: true, skip: true, z: true, states: true}
	large, tiny, slow := base, base, base
	large.delta = listed(4000, -50, 30, 0, 1000, -200)
	tiny.delta = uniform(-12, -6) // Δ around 1e-4: almost nothing moves
	slow.a, slow.l = uniform(-1e-3, -1e-5), 300
	cl := large.opCase("delta to 4000 ")
	cl.noDiff = "Δ up to 4000 spoils the digits of the difference"
	// B and C in turn: both sides of a state that forgets within a step.
	cs := []opCase{cl, tiny.opCase("delta near 0 "), slow.opCase("slow decay ")}
	large.complex, tiny.complex = true, true
	cl = large.opCase("delta to 4000 ")
	cl.noDiff = cs[0].noDiff
	return append(cs, cl, tiny.opCase("delta near 0 "))
}

// selectiveOfficialCases are the lengths of the official test suite
// (tests/ops/test_selective_scan.py) beyond the 128 steps of the vectors, with
// its sizes and distributions. reference, which the vectors hold to 1e-9, is
// the truth here; our tolerances are far narrower than the official 6e-4.
func selectiveOfficialCases() []opCase {
	var cs []opCase
	for _, l := range []int{256, 512, 1024, 2048, 4096} {
		m := selective{b: 2, l: l, d: 4, n: 8, softplus: true, bias: true, skip: true, z: true, states: true,
			a: uniform(-0.5, 0), delta: uniform(0, 0.5), offset: uniform(0, 0.5)}
		c := m.opCase("official ")
		if l > 512 {
			c.noDiff = "a sum over that many outputs leaves the difference too few digits"
		}
		cs = append(cs, c)
	}
	return cs
}
