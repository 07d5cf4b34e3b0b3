// Command gen writes the loops of package ceiling, for AVX2 and AVX-512.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is the number of registers that a turn of a loop handles, chains that
// of independent sums: more than the 8 that two multiply-adds a cycle of latency
// 4 need.
const unroll, chains = 8, 12

// A generator writes loops with registers of one width.
type generator struct {
	*build.Context
	suffix string
	bytes  int // of a register
	vector func() reg.VecVirtual
}

func main() {
	options := flag.NewFlagSet("gen", flag.ExitOnError)
	flags := build.NewFlags(options)
	_ = options.Parse(os.Args[1:]) // exits on an error
	c := build.NewContext()
	c.ConstraintExpr("amd64,!noasm")
	for _, g := range []generator{{c, "AVX2", 32, c.YMM}, {c, "AVX512", 64, c.ZMM}} {
		g.multiplyAdd()
		g.stream("read", 0, 1)
		g.stream("write", 1, 0)
		g.stream("copy", 1, 1)
		g.stream("add", 1, 2)
		g.update()
	}
	os.Exit(build.Main(flags.Config(), c))
}

// function begins a function.
func (g generator) function(name, doc, signature string) {
	g.Function(name + g.suffix)
	g.Doc(name + g.suffix + " " + doc)
	g.Pragma("noescape")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(signature)
}

// zeros returns n registers of zeros.
func (g generator) zeros(n int) (out []reg.VecVirtual) {
	first := g.vector()
	g.VXORPS(first.AsY(), first.AsY(), first.AsY())
	for out = append(out, first); len(out) < n; {
		v := g.vector()
		g.VMOVAPS(first, v)
		out = append(out, v)
	}
	return out
}

// end closes the loop over n.
func (g generator) end(n reg.GPVirtual) {
	g.DECQ(n)
	g.JNZ(operand.LabelRef("loop"))
	g.VZEROUPPER()
	g.RET()
}

// param loads a parameter.
func (g generator) param(name string) reg.GPVirtual {
	r := g.GP64()
	g.Load(g.Param(name), r)
	return r
}

// multiplyAdd writes a loop of nothing but independent multiply-adds.
func (g generator) multiplyAdd() {
	g.function("fma", fmt.Sprintf("runs n times %d independent multiply-adds of whole registers.", chains), "func(n int)")
	n, sums := g.param("n"), g.zeros(chains+1)
	g.Label("loop")
	for _, v := range sums[1:] {
		g.VFMADD231PS(sums[0], sums[0], v)
	}
	g.end(n)
}

// update writes a loop that adds zero to an array in place.
func (g generator) update() {
	g.function("update", fmt.Sprintf("handles n times %d registers of dst.", unroll), "func(n int, dst *float32)")
	n, dst, zero, held := g.param("n"), g.param("dst"), g.zeros(1)[0], g.vector()
	g.Label("loop")
	for i := range unroll {
		place := operand.Mem{Base: dst, Disp: i * g.bytes}
		g.VADDPS(place, zero, held)
		g.VMOVUPS(held, place)
	}
	g.ADDQ(operand.U32(unroll*g.bytes), dst)
	g.end(n)
}

// stream writes a loop over n turns that reads the given number of arrays,
// and writes their sum if there are arrays to write.
func (g generator) stream(name string, writes, reads int) {
	names := [][]string{{"dst"}, {"a", "b"}}
	parameters := "n int"
	var pointers []string
	for i, count := range []int{writes, reads} {
		for _, p := range names[i][:count] {
			parameters += ", " + p + " *float32"
			pointers = append(pointers, p)
		}
	}
	g.function(name, fmt.Sprintf("handles n times %d registers of each array.", unroll), "func("+parameters+")")
	n := g.param("n")
	var at []reg.GPVirtual
	for _, p := range pointers {
		at = append(at, g.param(p))
	}
	held := g.zeros(unroll)
	g.Label("loop")
	for i, v := range held {
		place := func(array int) operand.Mem { return operand.Mem{Base: at[array], Disp: i * g.bytes} }
		switch {
		case writes == 0:
			g.VADDPS(place(0), v, v)
		case reads > 0:
			g.VMOVUPS(place(1), v)
		}
		if reads > 1 {
			g.VADDPS(place(2), v, v)
		}
		if writes > 0 {
			g.VMOVUPS(v, place(0))
		}
	}
	for _, p := range at {
		g.ADDQ(operand.U32(unroll*g.bytes), p)
	}
	g.end(n)
}
