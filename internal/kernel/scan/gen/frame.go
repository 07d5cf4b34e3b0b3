package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// row is what a row kernel works on: one half of a row of a frame pair, or all
// of a wide one, with its vector of each strided array.
type row struct {
	half  int
	frame reg.Register
	at    map[string]Mem
}

// field is a field of the row.
func (r row) field(f int) Mem { return field(r.frame, r.half*spec.Frame+f) }

// array is the row's vector of an array.
func (r row) array(name string) Mem { return r.at[name].Offset(r.half * vector) }

// forRows emits the loop over the steps of a frame pair, or of one frame when
// the parameter halves is 1. strided names the pointer parameters that move by
// the parameter <name>Step, in bytes. Their rows lie a whole (D) apart, too far
// for the hardware to see ahead, so each row asks for the cache line that is
// ahead bytes on, of the next pair; into the level-two cache, because rows a
// power of two apart share a few sets of the first.
func forRows(strided []string, body func(r row)) {
	frame, steps, ahead := argument("frame"), argument("steps"), argument("ahead")
	at := map[string]Mem{}
	for _, name := range strided {
		at[name] = pointer(argument(name), 0)
	}
	Label("rows")
	for _, name := range strided {
		PREFETCHT1(Mem{Base: at[name].Base, Index: ahead, Scale: 1})
	}
	body(row{0, frame, at})
	if !wide {
		CMPQ(slot("halves"), Imm(1))
		JE(LabelRef("next"))
		body(row{1, frame, at})
		Label("next")
	}
	for _, name := range strided {
		ADDQ(slot(name+"Step"), at[name].Base)
	}
	ADDQ(U32(rowBytes()), frame)
	DECQ(steps)
	JNZ(LabelRef("rows"))
}

// frames emits the row kernels; the wide ones take whole pairs only.
func frames() {
	prepares()
	finishes()
	seeds()
	finishBacks()
}

// Constants of expNegAbs, softplus and sigmoid.
func holdExpNegAbs() {
	hold(table.minExp, table.sign, table.magic, table.log2e, table.ln2Hi, table.ln2Lo, table.one)
	hold(table.exp[:]...)
}

func holdSoftplus() {
	hold(table.two)
	hold(table.atanh[:]...)
}

// prepares emits the kernels that fill a frame: Δ without softplus, with it,
// and with it and its derivative. The wide ones also leave the greatest |Δ|.
func prepares() {
	for _, mode := range []string{"Raw", "Softplus", "SoftplusSig"} {
		function("Prepare"+mode,
			"func(steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int)",
			"fills Δ, u and Δu and clears the sums of the frame.")
		hold(table.one)
		if mode != "Raw" {
			holdExpNegAbs()
			holdSoftplus()
		}
		bias, zero := argument("bias"), zeroed()
		var greatest reg.VecVirtual
		if wide {
			hold(table.magnitude)
			greatest = zeroed()
		}
		forRows([]string{"u", "delta"}, func(r row) {
			dt := loaded(pointer(bias, r.half*vector))
			VADDPS(r.array("delta"), dt, dt)
			if mode == "Raw" {
				VMOVUPS(inRegister(table.one), r.field(spec.Sig))
			} else {
				x, w := dt, expNegAbs(dt)
				if mode == "SoftplusSig" {
					VMOVUPS(sigmoid(x, w), r.field(spec.Sig))
				}
				dt = softplus(x, w)
			}
			if wide {
				upTo(greatest, dt)
			}
			u := loaded(r.array("u"))
			VMOVUPS(dt, r.field(spec.Dt))
			VMOVUPS(u, r.field(spec.U))
			VMULPS(dt, u, u)
			VMOVUPS(u, r.field(spec.DtU))
			for _, f := range []int{spec.Y, spec.Sx, spec.Sd} {
				VMOVUPS(zero, r.field(f))
			}
		})
		if wide {
			VMOVUPS(greatest, field(argument("frame"), spec.MaxAbs))
		}
		finish()
	}
}

// finishes emits the kernels that store the output of a chunk.
func finishes() {
	finishRows("Finish", "func(steps, halves, ahead int, frame, y, dskip *float32, yStep int)",
		"stores y = field Y + dskip u.", []string{"y"}, func(row, reg.VecVirtual) {})
	finishRows("FinishGated", "func(steps, halves, ahead int, frame, y, z, dskip *float32, yStep, zStep int)",
		"stores y = (field Y + dskip u) SiLU(z).", []string{"y", "z"}, func(r row, y reg.VecVirtual) {
			z := loaded(r.array("z"))
			VMULPS(z, y, y)
			VMULPS(sigmoid(z, expNegAbs(z)), y, y)
		})
}

// finishRows emits one such kernel; gate multiplies y.
func finishRows(name, signature, doc string, strided []string, gate func(r row, y reg.VecVirtual)) {
	function(name, signature, doc)
	skip := argument("dskip")
	if len(strided) > 1 {
		holdExpNegAbs()
	}
	forRows(strided, func(r row) {
		y, u := loaded(r.field(spec.Y)), loaded(r.field(spec.U))
		VFMADD231PS(pointer(skip, r.half*vector), u, y)
		gate(r, y)
		VMOVUPS(y, r.array("y"))
	})
	finish()
}

// seeds emits the kernels that bring the output's gradient into the frame.
func seeds() {
	function("Seed", "func(steps, halves, ahead int, frame, dy *float32, dyStep int)", "fills g = dy.")
	forRows([]string{"dy"}, func(r row) { VMOVUPS(loaded(r.array("dy")), r.field(spec.G)) })
	finish()

	function("SeedGated", "func(steps, halves, ahead int, frame, dy, z *float32, dyStep, zStep int)",
		"fills g = dy SiLU(z) and field GZ = dy σ(z)(1 + z(1 − σ(z))).")
	holdExpNegAbs()
	forRows([]string{"dy", "z"}, func(r row) {
		z, dy := loaded(r.array("z")), loaded(r.array("dy"))
		sig := sigmoid(z, expNegAbs(z))
		g, rest, one := vec(), vec(), inRegister(table.one)
		VMULPS(z, sig, g)
		VMULPS(dy, g, g)
		VMOVUPS(g, r.field(spec.G))
		VSUBPS(sig, one, rest)
		VFMADD213PS(one, z, rest)
		VMULPS(sig, rest, rest)
		VMULPS(dy, rest, rest)
		VMOVUPS(rest, r.field(spec.GZ))
	})
	finish()
}

// accumulate emits m += r.
func accumulate(r reg.VecVirtual, m Mem) {
	VADDPS(m, r, r)
	VMOVUPS(r, m)
}

// finishBacks emits the kernels that turn the sums of a chunk into gradients.
func finishBacks() {
	for _, gated := range []bool{false, true} {
		name, strided := "FinishBack", []string{"du", "ddelta"}
		if gated {
			name, strided = "FinishBackGated", []string{"du", "ddelta", "dz"}
		}
		function(name,
			"func(steps, halves, ahead int, frame, du, ddelta, dz, dskip, dbias, ddskip *float32, duStep, ddeltaStep, dzStep int)",
			"adds du, ddelta, their sums over the steps and, when gated, dz.")
		dskip := argument("dskip")
		hold(table.ln2)
		var dbias, ddskip [spec.Halves]reg.VecVirtual
		for i := range dbias {
			dbias[i], ddskip[i] = zeroed(), zeroed()
		}
		forRows(strided, func(r row) {
			skip := loaded(pointer(dskip, r.half*vector))
			sx, u, g := loaded(r.field(spec.Sx)), loaded(r.field(spec.U)), loaded(r.field(spec.G))
			ddelta := loaded(c(table.ln2))
			VMULPS(r.field(spec.Sd), ddelta, ddelta)
			VFMADD231PS(sx, u, ddelta)
			VMULPS(r.field(spec.Sig), ddelta, ddelta)
			VADDPS(ddelta, dbias[r.half], dbias[r.half])
			accumulate(ddelta, r.array("ddelta"))
			VMULPS(r.field(spec.Dt), sx, sx)
			VFMADD231PS(skip, g, sx)
			accumulate(sx, r.array("du"))
			VFMADD231PS(g, u, ddskip[r.half])
			if gated {
				y := loaded(r.field(spec.Y))
				VFMADD231PS(skip, u, y)
				VMULPS(r.field(spec.GZ), y, y)
				accumulate(y, r.array("dz"))
			}
		})
		biasAt, ddskipAt := argument("dbias"), argument("ddskip")
		accumulate(dbias[0], pointer(biasAt, 0))
		accumulate(ddskip[0], pointer(ddskipAt, 0))
		if !wide {
			CMPQ(slot("halves"), Imm(1))
			JE(LabelRef("done"))
			accumulate(dbias[1], pointer(biasAt, vector))
			accumulate(ddskip[1], pointer(ddskipAt, vector))
			Label("done")
		}
		finish()
	}
}

// sumLanes emits the horizontal sums of eight vectors at a time.
func sumLanes() {
	function("SumLanes", "func(n int, dst, src *float32)",
		fmt.Sprintf("adds the sum of src[%[1]di:%[1]di+%[1]d] to dst[i] for n values, a multiple of %[1]d.", spec.Lanes))
	n, dst, src := argument("n"), argument("dst"), argument("src")
	Label("eights")
	var quad [2]reg.VecVirtual
	for q := range quad {
		var pair [2]reg.VecVirtual
		for i := range pair {
			pair[i] = loaded(pointer(src, (4*q+2*i)*vector))
			VHADDPS(pointer(src, (4*q+2*i+1)*vector), pair[i], pair[i])
		}
		quad[q] = pair[0]
		VHADDPS(pair[1], pair[0], quad[q])
	}
	lo, hi := YMM(), YMM()
	VPERM2F128(Imm(0x20), quad[1], quad[0], lo)
	VPERM2F128(Imm(0x31), quad[1], quad[0], hi)
	VADDPS(hi, lo, lo)
	accumulate(lo, pointer(dst, 0))
	ADDQ(Imm(spec.Lanes*4), dst)
	ADDQ(U32(spec.Lanes*vector), src)
	SUBQ(Imm(spec.Lanes), n)
	JNZ(LabelRef("eights"))
	finish()
}
