// Command neon writes the NEON kernels of package matvec.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

const (
	rows  = 2  // of a block
	group = 32 // columns of a row that lie together, as in matrix.go
	quads = group / 4
)

func main() {
	var file asm.File
	write(&file, "Float32", 4, (*kernel).floats)
	write(&file, "BF16", 2, (*kernel).halves)
	write(&file, "Int8", 1, (*kernel).bytes)
	if err := file.Main(os.Args[1:]); err != nil {
		log.Fatal("neon: ", err)
	}
}

// A kernel is one function while it is written.
type kernel struct {
	*asm.Func
	w, x asm.GP
	acc  [rows][quads]asm.Vec // partial sums
}

// write emits the kernel of a format with elements of so many bytes; add adds
// the products of a group of a row, whose elements are at w + off.
func write(file *asm.File, format string, bytes int, add func(k *kernel, row, off int)) {
	k := &kernel{Func: file.Func("neonMul"+format,
		fmt.Sprintf("sets y to the product of blocks of %d rows of groups·%d %s elements and x.", rows, group, format),
		"blocks, groups int, w *byte, x, y *float32")}
	k.Constants()
	blocks, y := k.Arg("blocks"), k.Arg("y")
	k.w = k.Arg("w")
	k.Hold(upperHalf)
	k.Label("block")
	for r := range k.acc {
		for i := range k.acc[r] {
			k.acc[r][i] = k.Zero()
		}
	}
	k.x = k.Arg("x")
	left := k.Arg("groups")
	k.Label("group")
	for r := range rows {
		add(k, r, r*group*bytes)
	}
	k.AddI(k.w, k.w, rows*group*bytes)
	k.AddI(k.x, k.x, group*4)
	k.CountDown(left, 1, "NE", "group")
	for r := range rows {
		k.StoreOne(k.join(k.acc[r][:]), y, 4*r)
	}
	k.AddI(y, y, 4*rows)
	k.CountDown(blocks, 1, "NE", "block")
	k.Ret()
}

// product adds w times the quad of x to its partial sums.
func (k *kernel) product(row, i int, w asm.Vec) { k.FMulAdd(k.acc[row][i], w, k.Load(k.x, 16*i)) }

func (k *kernel) floats(row, off int) {
	for i := range quads {
		k.product(row, i, k.Load(k.w, off+16*i))
	}
}

var upperHalf = asm.Repeat(0xffff0000)

// halves has two quads in the halves of one.
func (k *kernel) halves(row, off int) {
	for i := 0; i < quads; i += 2 {
		both, low := k.Load(k.w, off+8*i), k.Vec()
		k.ShiftLeft(low, both, 16)
		k.product(row, i, low)
		k.And(both, both, k.Const(upperHalf))
		k.product(row, i+1, both)
	}
}

func (k *kernel) bytes(row, off int) {
	for i := 0; i < quads; i += 4 {
		all := k.Load(k.w, off+4*i)
		for j := range 4 {
			half, w := k.Vec(), k.Vec()
			k.Widen8(half, all, j >= 2)
			k.Widen16(w, half, j%2 == 1)
			k.FFromInt(w, w)
			k.product(row, i+j, w)
		}
	}
}

// join adds partial sums in the order of vec.Dot, eight lanes to a vector: the
// vectors of a pair, the pairs, then halves, quarters and eighths.
func (k *kernel) join(acc []asm.Vec) asm.Vec {
	for i := range 2 {
		k.FAdd(acc[i], acc[i], acc[i+2])
		k.FAdd(acc[i+4], acc[i+4], acc[i+6])
		k.FAdd(acc[i], acc[i], acc[i+4])
	}
	v, high := acc[0], k.Vec()
	k.FAdd(v, v, acc[1])
	k.HighHalf(high, v)
	k.FAdd(v, v, high)
	k.FAddPairs(v, v, v)
	return v
}
