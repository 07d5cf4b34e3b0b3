// Command neon writes the NEON kernels of package vec: those of the AVX2
// assembly, for registers of four lanes.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

func main() {
	var file asm.File
	functionsOfX(&file)
	arithmetic(&file)
	gradientsOfX(&file)
	gradientsOfY(&file)
	rowKernels(&file)
	adamW(&file)
	reductions(&file)
	if err := file.Main(os.Args[1:]); err != nil {
		log.Fatal("neon: ", err)
	}
}

// A loop is the inside of a kernel over slices of one length: the register at
// an offset from where the slices' pointers are, or a single float.
type loop struct {
	*asm.Func
	base   map[string]asm.GP
	off    int
	single bool
}

// function starts a kernel named neon<name> over slices, of which the first
// gives the length.
func function(file *asm.File, name, doc, signature string, slices ...string) (l *loop, left asm.GP) {
	l = &loop{Func: file.Func("neon"+name, doc, signature), base: map[string]asm.GP{}}
	l.Constants()
	for _, s := range slices {
		l.base[s] = l.Arg(s + "_base")
	}
	return l, l.Arg(slices[0] + "_len")
}

// over emits the loops: body is written for unroll registers, for one, and for
// one float. All compute a lane in the same way, so an element's result depends
// neither on its place nor on the slices' length.
func (l *loop) over(left asm.GP, unroll int, body func(l *loop)) {
	for _, n := range []int{4 * unroll, 4, 1} {
		l.single = n == 1
		l.while(left, n, func() {
			for l.off = 0; l.off < 4*n; l.off += 16 {
				body(l)
			}
		})
	}
}

// while emits a loop that takes n elements at a time while there are so many.
func (l *loop) while(left asm.GP, n int, body func()) {
	name := fmt.Sprintf("by%d", n)
	l.CountDown(left, n, "LT", name+"End")
	l.Label(name)
	body()
	for _, s := range l.slices() {
		l.AddI(l.base[s], l.base[s], 4*n)
	}
	l.CountDown(left, n, "GE", name)
	l.Label(name + "End")
	l.AddI(left, left, n)
}

// slices are the names of the slices in a fixed order.
func (l *loop) slices() (names []string) {
	for _, s := range strings.Fields("dst dx dw da dz w y x a z g m v b c dy") {
		if _, ok := l.base[s]; ok {
			names = append(names, s)
		}
	}
	if len(names) != len(l.base) {
		log.Fatalf("neon: a slice has no place in the order: %v", l.base)
	}
	return names
}

// load reads the slice's register; a single float's other lanes are zero.
func (l *loop) load(slice string) asm.Vec {
	if l.single {
		return l.LoadOne(l.base[slice], l.off)
	}
	return l.Load(l.base[slice], l.off)
}

// store writes it.
func (l *loop) store(v asm.Vec, slice string) {
	if l.single {
		l.StoreOne(v, l.base[slice], l.off)
	} else {
		l.Store(v, l.base[slice], l.off)
	}
}

// addTo is slice += v·w.
func (l *loop) addTo(slice string, v, w asm.Vec) {
	sum := l.load(slice)
	l.FMulAdd(sum, v, w)
	l.store(sum, slice)
}

// float is a register of copies of x, which must not be changed.
func (l *loop) float(x float32) asm.Vec { return l.Const(asm.Float(x)) }

// holdFloats keeps constants in registers.
func (l *loop) holdFloats(x ...float32) {
	for _, v := range x {
		l.Hold(asm.Float(v))
	}
}

// horner is c[0] + x·(c[1] + …), with the coefficients in the order of their
// powers.
func (l *loop) horner(x asm.Vec, c ...float32) asm.Vec {
	p := l.float(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		next := l.ConstCopy(asm.Float(c[i]))
		l.FMulAdd(next, p, x)
		p = next
	}
	return p
}
