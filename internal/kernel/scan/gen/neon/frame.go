package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// quadRow is what a row kernel works on: a quad of one half of a row of a
// frame pair, and of a row of each strided array.
type quadRow struct {
	k       *kernel
	half, q int
	frame   asm.GP
	at      map[string]asm.GP
}

func (r quadRow) place() int { return r.half*vector + r.q }

// offset is where a field is in the frame.
func (r quadRow) offset(f int) int { return 4*(r.half*spec.Frame+f) + r.q }

// field reads a field of the row, set writes it.
func (r quadRow) field(f int) asm.Vec  { return r.k.Load(r.frame, r.offset(f)) }
func (r quadRow) set(f int, v asm.Vec) { r.k.Store(v, r.frame, r.offset(f)) }

// array reads the row's quad of an array; put and add write and add to it.
func (r quadRow) array(name string) asm.Vec  { return r.k.Load(r.at[name], r.place()) }
func (r quadRow) put(name string, v asm.Vec) { r.k.Store(v, r.at[name], r.place()) }
func (r quadRow) add(name string, v asm.Vec) { r.k.accumulate(v, r.at[name], r.place()) }

// forRows emits the loop over the steps of a frame pair, or of one frame when
// the parameter halves is 1. strided names the pointer parameters that move by
// the parameter <name>Step, in bytes. Their rows lie a whole (D) apart: each
// row asks for the cache line that is ahead bytes on, of the next pair.
func (k *kernel) forRows(strided []string, body func(r quadRow)) {
	r := k.args("frame", "steps", "ahead", "halves")
	frame, steps, ahead, halves := r[0], r[1], r[2], r[3]
	at, step := map[string]asm.GP{}, map[string]asm.GP{}
	for _, name := range strided {
		at[name], step[name] = k.Arg(name), k.Arg(name+"Step")
	}
	k.Label("rows")
	for _, name := range strided {
		next := k.GP()
		k.Add(next, at[name], ahead)
		k.Prefetch("PLDL2KEEP", next, 0)
	}
	for half := range spec.Halves {
		if half == 1 {
			k.JumpIf(halves, "EQ", 1, "next")
		}
		for _, q := range quads {
			body(quadRow{k, half, q, frame, at})
		}
	}
	k.Label("next")
	for _, name := range strided {
		k.Add(at[name], at[name], step[name])
	}
	k.AddI(frame, frame, rowBytes)
	k.CountDown(steps, 1, "NE", "rows")
}

// frames emits the row kernels.
func frames(file *asm.File) {
	prepares(file)
	finishes(file)
	seeds(file)
	finishBacks(file)
}

// prepares emits the kernels that fill a frame: Δ without softplus, with it,
// and with it and its derivative.
func prepares(file *asm.File) {
	for _, mode := range []string{"Raw", "Softplus", "SoftplusSig"} {
		k := function(file, "Prepare"+mode,
			"steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int",
			"fills Δ, u and Δu and clears the sums of the frame.")
		k.Hold(zero, one)
		if mode != "Raw" {
			k.holdExpNegAbs()
			k.Hold(two)
			k.Hold(floats(spec.AtanhPoly[:])...)
		}
		bias := k.Arg("bias")
		k.forRows([]string{"u", "delta"}, func(r quadRow) {
			dt := k.Load(bias, r.place())
			k.FAdd(dt, dt, r.array("delta"))
			if mode == "Raw" {
				r.set(spec.Sig, k.Const(one))
			} else {
				x, w := dt, k.expNegAbs(dt)
				if mode == "SoftplusSig" {
					r.set(spec.Sig, k.sigmoid(x, w))
				}
				dt = k.softplus(x, w)
			}
			u := r.array("u")
			r.set(spec.Dt, dt)
			r.set(spec.U, u)
			k.FMul(u, u, dt)
			r.set(spec.DtU, u)
			for _, f := range []int{spec.Y, spec.Sx, spec.Sd} {
				r.set(f, k.Const(zero))
			}
		})
		k.Ret()
	}
}

// finishes emits the kernels that store the output of a chunk.
func finishes(file *asm.File) {
	for _, gated := range []bool{false, true} {
		name, signature, strided := "Finish", "frame, y, dskip *float32, yStep int", []string{"y"}
		doc := "stores y = field Y + dskip u."
		if gated {
			name, signature, strided = "FinishGated", "frame, y, z, dskip *float32, yStep, zStep int", []string{"y", "z"}
			doc = "stores y = (field Y + dskip u) SiLU(z)."
		}
		k := function(file, name, "steps, halves, ahead int, "+signature, doc)
		if gated {
			k.holdExpNegAbs()
		}
		skip := k.Arg("dskip")
		k.forRows(strided, func(r quadRow) {
			y := r.field(spec.Y)
			k.FMulAdd(y, r.field(spec.U), k.Load(skip, r.place()))
			if gated {
				z := r.array("z")
				k.FMul(y, y, z)
				k.FMul(y, y, k.sigmoid(z, k.expNegAbs(z)))
			}
			r.put("y", y)
		})
		k.Ret()
	}
}

// seeds emits the kernels that bring the output's gradient into the frame.
func seeds(file *asm.File) {
	k := function(file, "Seed", "steps, halves, ahead int, frame, dy *float32, dyStep int", "fills g = dy.")
	k.forRows([]string{"dy"}, func(r quadRow) { r.set(spec.G, r.array("dy")) })
	k.Ret()

	k = function(file, "SeedGated", "steps, halves, ahead int, frame, dy, z *float32, dyStep, zStep int",
		"fills g = dy SiLU(z) and field GZ = dy σ(z)(1 + z(1 − σ(z))).")
	k.holdExpNegAbs()
	k.forRows([]string{"dy", "z"}, func(r quadRow) {
		z, dy := r.array("z"), r.array("dy")
		sig, g, rest := k.sigmoid(z, k.expNegAbs(z)), k.Vec(), k.Vec()
		k.FMul(g, z, sig)
		k.FMul(g, g, dy)
		r.set(spec.G, g)
		k.FSub(rest, k.Const(one), sig)
		gz := k.ConstCopy(one)
		k.FMulAdd(gz, z, rest)
		k.FMul(gz, gz, sig)
		k.FMul(gz, gz, dy)
		r.set(spec.GZ, gz)
	})
	k.Ret()
}

// finishBacks emits the kernels that turn the sums of a chunk into gradients.
func finishBacks(file *asm.File) {
	for _, gated := range []bool{false, true} {
		name, strided := "FinishBack", []string{"du", "ddelta"}
		if gated {
			name, strided = "FinishBackGated", []string{"du", "ddelta", "dz"}
		}
		k := function(file, name,
			"steps, halves, ahead int, frame, du, ddelta, dz, dskip, dbias, ddskip *float32, duStep, ddeltaStep, dzStep int",
			"adds du, ddelta, their sums over the steps and, when gated, dz.")
		k.Hold(ln2)
		dskip := k.Arg("dskip")
		dbias, ddskip := map[int]asm.Vec{}, map[int]asm.Vec{}
		for i := range spec.Halves * len(quads) {
			dbias[i*quad], ddskip[i*quad] = k.Zero(), k.Zero()
		}
		k.forRows(strided, func(r quadRow) {
			skip := k.Load(dskip, r.place())
			sx, u, g, ddelta := r.field(spec.Sx), r.field(spec.U), r.field(spec.G), r.field(spec.Sd)
			k.FMul(ddelta, ddelta, k.Const(ln2))
			k.FMulAdd(ddelta, sx, u)
			k.FMul(ddelta, ddelta, r.field(spec.Sig))
			sum := dbias[r.place()]
			k.FAdd(sum, sum, ddelta)
			r.add("ddelta", ddelta)
			k.FMul(sx, sx, r.field(spec.Dt))
			k.FMulAdd(sx, skip, g)
			r.add("du", sx)
			k.FMulAdd(ddskip[r.place()], g, u)
			if gated {
				y := r.field(spec.Y)
				k.FMulAdd(y, skip, u)
				k.FMul(y, y, r.field(spec.GZ))
				r.add("dz", y)
			}
		})
		k.addSums(map[string]map[int]asm.Vec{"dbias": dbias, "ddskip": ddskip})
		k.Ret()
	}
}

// addSums adds the registers by place to the parameters' memory, the second
// half's if there is one.
func (k *kernel) addSums(sums map[string]map[int]asm.Vec) {
	for half := range spec.Halves {
		if half == 1 {
			k.JumpIf(k.Arg("halves"), "EQ", 1, "done")
		}
		for _, name := range []string{"dbias", "ddskip"} {
			p := k.Arg(name)
			for _, q := range quads {
				k.accumulate(sums[name][half*vector+q], p, half*vector+q)
			}
		}
	}
	k.Label("done")
}

// sumLanes emits the sums of eight lanes, four vectors at a time.
func sumLanes(file *asm.File) {
	k := function(file, "SumLanes", "n int, dst, src *float32",
		"adds the sum of src[8i:8i+8] to dst[i] for n values, a multiple of 4.")
	r := k.args("n", "dst", "src")
	n, dst, src := r[0], r[1], r[2]
	k.Label("fours")
	var sums [4]asm.Vec
	for i := range sums {
		v := k.LoadPair(src, i*vector)
		k.FAddPairs(v[0], v[0], v[1])
		sums[i] = v[0]
	}
	k.FAddPairs(sums[0], sums[0], sums[1])
	k.FAddPairs(sums[2], sums[2], sums[3])
	k.FAddPairs(sums[0], sums[0], sums[2])
	k.accumulate(sums[0], dst, 0)
	k.AddI(dst, dst, quad)
	k.AddI(src, src, len(sums)*vector)
	k.CountDown(n, 4, "NE", "fours")
	k.Ret()
}
