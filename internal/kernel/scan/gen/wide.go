package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// wide is set while functions are written for AVX-512, whose register is a
// whole pair of channel groups, and held are then the constants that stay in
// registers, as 32 of these allow.
var (
	wide bool
	held map[Mem]reg.VecVirtual
)

// vec is a fresh register of the instruction set being written for.
func vec() reg.VecVirtual {
	if wide {
		return ZMM()
	}
	return YMM()
}

// hold loads constants into registers for the rest of the function; with AVX2
// they stay in memory.
func hold(constants ...Mem) {
	if !wide {
		return
	}
	for _, m := range constants {
		if held[m] != nil {
			continue
		}
		r := ZMM()
		if m == table.eighths {
			VBROADCASTF32X8(m, r)
		} else {
			VBROADCASTSS(m, r)
		}
		held[m] = r
	}
}

// c is a constant as an operand.
func c(m Mem) Op {
	if !wide {
		return m
	}
	return inRegister(m)
}

// inRegister is a constant in a register that must not be changed.
func inRegister(m Mem) reg.VecVirtual {
	if !wide {
		return loaded(m)
	}
	r, ok := held[m]
	if !ok {
		panic("gen: constant " + m.Symbol.Name + " is not held")
	}
	return r
}

// upTo raises m to |x|; a NaN counts as greater than all numbers.
func upTo(m, x reg.VecVirtual) {
	size := ZMM()
	VPANDD(c(table.magnitude), x, size)
	VPMAXSD(size, m, m)
}

// A pair is the same vector of both channel groups, which lie group bytes
// apart.

// pairLoaded is a fresh register holding the pair at p.
func pairLoaded(p reg.Register, disp int, group reg.Register) reg.VecVirtual {
	r := ZMM()
	VBROADCASTF32X8(pointer(p, disp), r)
	VINSERTF32X8(Imm(1), Mem{Base: p, Disp: disp, Index: group, Scale: 1}, r, r)
	return r
}

func pairStored(r reg.VecVirtual, p reg.Register, disp int, group reg.Register) {
	VMOVUPS(r.AsY(), pointer(p, disp))
	VEXTRACTF32X8(Imm(1), r, Mem{Base: p, Disp: disp, Index: group, Scale: 1})
}

// pairsLoaded are the pairs of w states.
func pairsLoaded(p, group reg.Register, w int) []reg.VecVirtual {
	rs := make([]reg.VecVirtual, w)
	for i := range rs {
		rs[i] = pairLoaded(p, i*vector, group)
	}
	return rs
}

func pairsStored(rs []reg.VecVirtual, p, group reg.Register) {
	for i, r := range rs {
		pairStored(r, p, i*vector, group)
	}
}

// wideElement is element for a pair.
func wideElement(constant bool, p reg.Register, i int, group reg.Register) reg.VecVirtual {
	if constant {
		return pairLoaded(p, i*vector, group)
	}
	r := ZMM()
	VBROADCASTSS(pointer(p, i*4), r)
	return r
}

// addElement is sum += x · element i of p.
func addElement(constant bool, p reg.Register, i int, group reg.Register, x, sum reg.VecVirtual) {
	if constant {
		VFMADD231PS(pairLoaded(p, i*vector, group), x, sum)
	} else {
		VFMADD231PS_BCST(pointer(p, i*4), x, sum)
	}
}

// A split is a vector of each group, twice in its register: what addToSums
// multiplies two states by.
type split [2]reg.VecVirtual

// splitField is a field of a frame row, split.
func splitField(frame reg.Register, f int) (s split) {
	for i := range s {
		s[i] = ZMM()
		VBROADCASTF32X8(field(frame, f).Offset(i*vector), s[i])
	}
	return s
}

// addToSums adds g·x to the sums at p, of one or two neighbouring states, that
// both groups share: first that of the pair's first group, then the second's,
// as when one group is run after the other.
func addToSums(g split, x []reg.VecVirtual, p reg.Register, disp int) {
	if len(x) == 1 {
		addHalves(VFMADD231PS, g[0].AsY(), g[1].AsY(), x[0], p, disp)
		return
	}
	sum, first, second := loaded(pointer(p, disp)), ZMM(), ZMM()
	VINSERTF32X8(Imm(1), x[1].AsY(), x[0], first)
	VSHUFF64X2(Imm(0b11_10_11_10), x[1], x[0], second)
	VFMADD231PS(g[0], first, sum)
	VFMADD231PS(g[1], second, sum)
	VMOVUPS(sum, pointer(p, disp))
}

// addHalves adds, with op, the products of x's groups and g0 and g1 to the sum
// at p.
func addHalves(op func(ops ...Op), g0, g1 Op, x reg.VecVirtual, p reg.Register, disp int) {
	sum := YMM()
	VMOVUPS(pointer(p, disp), sum)
	op(g0, x.AsY(), sum)
	op(g1, second(x), sum)
	VMOVUPS(sum, pointer(p, disp))
}

// second is the second group of a pair.
func second(x reg.VecVirtual) reg.VecVirtual {
	r := YMM()
	VEXTRACTF32X8(Imm(1), x, r)
	return r
}

// addToGroups adds g·x to the sums at p that each group has for itself.
func addToGroups(g reg.VecVirtual, x []reg.VecVirtual, p reg.Register, disp int, group reg.Register) {
	for i := range x {
		sum := pairLoaded(p, disp+i*vector, group)
		VFMADD231PS(g, x[i], sum)
		pairStored(sum, p, disp+i*vector, group)
	}
}

// nextRow is the pointer to a row of an array that the next window will read, to
// be asked for in an iteration of a loop over the steps, and so on: all rows at
// once would stop the core, which can wait for some dozens of lines only.
type nextRow struct{ reg.GPVirtual }

// startRow takes the next array of the parameter rows, spec.Rows pointers, of
// which pass counts those taken, in bytes; after the last comes the first.
func startRow() nextRow {
	r := GP64()
	MOVQ(slot("pass"), r)
	ADDQ(Imm(8), slot("pass"))
	ANDQ(Imm(8*spec.Rows-1), r)
	ADDQ(slot("rows"), r)
	MOVQ(pointer(r, 0), r)
	ADDQ(slot("ahead"), r)
	return nextRow{r}
}

// ask asks for a row, into the level-two cache.
func (r nextRow) ask() {
	PREFETCHT1(pointer(r.GPVirtual, 0))
	ADDQ(slot("rowStep"), r.GPVirtual)
}
