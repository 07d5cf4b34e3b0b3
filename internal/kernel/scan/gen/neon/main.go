// Command neon writes the NEON assembly of package scan: the kernels of its
// AVX2 engine, with the same parameters and the same variants (see the command
// in the folder above), for registers of four lanes. The eight lanes of a
// channel group are two quads; what varies in time is a lane of a register,
// never broadcast.
package main

import (
	"log"
	"math"
	"os"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

const (
	vector   = 4 * spec.Lanes // bytes of a channel group
	quad     = 16             // bytes of a register
	rowBytes = 4 * spec.FrameRow
)

// quads are the places of a group's registers, in bytes.
var quads = []int{0, quad}

// Constants of the kernels.
var (
	eighthMagic = asm.Float(spec.EighthMagic)
	minEighth   = asm.Repeat(spec.EighthBits + 8*spec.MinExp2)
	maxEighth   = asm.Repeat(spec.EighthBits + 8*spec.MaxExp2)
	e1          = asm.Float(spec.E1)
	e2          = asm.Float(spec.E2)
	e3          = asm.Float(spec.E3)
	// A word of the table of eighths is looked up as four bytes: byte i of
	// word n is byte 4n + i.
	seven     = asm.Repeat(7)
	fourBytes = asm.Repeat(0x04040404)
	byteOrder = asm.Repeat(0x03020100)

	roundMagic = asm.Float(spec.RoundMagic)
	minExp     = asm.Float(spec.MinExp)
	log2e      = asm.Float(spec.Log2E)
	ln2        = asm.Float(spec.Ln2)
	ln2Hi      = asm.Float(spec.Ln2Hi)
	ln2Lo      = asm.Float(spec.Ln2Lo)
	sign       = asm.Repeat(1 << 31)
	zero       = asm.Float(0)
	one        = asm.Float(1)
	two        = asm.Float(2)
	four       = asm.Float(4)
	minusHalf  = asm.Float(-.5)
	halfPi     = asm.Float(math.Pi / 2)
	turn       = asm.Float(2 * math.Pi * spec.Log2E)
)

// floats are constants of these values.
func floats(x []float32) (c [][4]uint32) {
	for _, v := range x {
		c = append(c, asm.Float(v))
	}
	return c
}

// kernel is a function while it is written.
type kernel struct {
	*asm.Func
	eighths [2]asm.Vec // the table of exp2
}

// function starts a function named neon<name>.
func function(file *asm.File, name, signature, doc string) *kernel {
	k := &kernel{Func: file.Func("neon"+name, doc, signature)}
	k.Constants()
	return k
}

// args loads parameters.
func (k *kernel) args(names ...string) []asm.GP {
	r := make([]asm.GP, len(names))
	for i, name := range names {
		r[i] = k.Arg(name)
	}
	return r
}

// accumulate is the float at p + off += v; v is lost.
func (k *kernel) accumulate(v asm.Vec, p asm.GP, off int) {
	k.FAdd(v, v, k.Load(p, off))
	k.Store(v, p, off)
}

func main() {
	var file asm.File
	for _, v := range spec.Variants(false) {
		scanForward(&file, v)
	}
	for _, v := range spec.Variants(true) {
		scanBackward(&file, v)
	}
	steps(&file)
	complexes(&file)
	frames(&file)
	sumLanes(&file)
	linears(&file)
	if err := file.Main(os.Args[1:]); err != nil {
		log.Fatal("neon: ", err)
	}
}
