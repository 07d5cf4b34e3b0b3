// Command gen writes the AVX2 and AVX-512 kernels of package gemm.
package main

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"os"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The sizes of registers and of the register tile, as in tiles.go.
const (
	tileRows = 6
	vecBytes = 32 // an AVX register: 8 float32
)

// A generator writes assembly in the context of package gemm's types.
type generator struct {
	*build.Context
	pkg   *types.Package
	masks operand.Mem // eight words of ones, then eight of zeros
}

func main() {
	options := flag.NewFlagSet("gen", flag.ExitOnError)
	flags := build.NewFlags(options)
	source := options.String("tiles", "tiles.go", "the `file` that declares the kernels' argument")
	_ = options.Parse(os.Args[1:]) // exits on an error
	pkg, err := check(*source)
	if err != nil {
		log.Fatal("gen: ", err)
	}
	g := &generator{Context: build.NewContext(), pkg: pkg}
	g.ConstraintExpr("amd64,!noasm")
	g.maskTable()
	for rows := 1; rows <= tileRows; rows++ {
		g.mul(rows, 2, 1)
		g.mul(rows, 1, 1)
	}
	// For the last rows, and for few rows altogether: a tile by itself has
	// too few accumulators to hide the latency of a multiply-add.
	g.mul(1, 2, 4)
	g.mul(2, 2, 2)
	g.mul(3, 2, 2)
	g.mul(2*tileRows, 1, 1)
	for rows := 1; rows <= wideRows; rows++ {
		g.wide(rows, 2)
		g.wide(rows, 1)
	}
	for rows := 1; rows <= wideRows; rows++ {
		g.wideDirect(rows)
	}
	g.wideHalf(8, 2)
	g.wideHalf(wideRows, 1)
	for _, small := range [][2]int{{1, 8}, {1, 4}, {2, 4}, {3, 4}} {
		g.wide(small[0], small[1])
	}
	g.ceiling("ceiling", g.YMM)
	g.ceiling("avx512ceiling", g.ZMM)
	g.packColumns()
	g.packRows()
	g.packTransposed()
	os.Exit(build.Main(flags.Config(), g.Context))
}

// check type-checks one source file by itself.
func check(file string) (*types.Package, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		return nil, err
	}
	return new(types.Config).Check(f.Name.Name, fset, []*ast.File{f}, nil)
}

// function begins a function with the given doc comment.
func (g *generator) function(name, doc, signature string) {
	sig, err := gotypes.ParseSignatureInPackage(g.pkg, signature)
	if err != nil {
		log.Fatalf("gen: %s: %v", name, err)
	}
	g.Function(name)
	g.Doc(doc)
	g.Pragma("noescape")
	g.Attributes(attr.NOSPLIT)
	g.Signature(sig)
}

// param loads a parameter; elements scales it from float32s to bytes.
func (g *generator) param(name string) reg.GPVirtual {
	r := g.GP64()
	g.Load(g.Param(name), r)
	return r
}

func (g *generator) elements(r reg.GPVirtual) reg.GPVirtual {
	g.SHLQ(operand.Imm(2), r)
	return r
}

// maskTable defines the table from which mask w (w leading lanes of 8) is the
// eight words at 4·(8-w).
func (g *generator) maskTable() {
	g.masks = g.StaticGlobal("masks")
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		ones := uint32(0)
		if i < 8 {
			ones = ^ones
		}
		g.AddDatum(4*i, operand.U32(ones))
	}
}

// mask returns a register whose leading width lanes are all ones; width is
// clamped to 0 … 8 after shift has been subtracted from it.
func (g *generator) mask(width reg.GPVirtual, shift int) reg.VecVirtual {
	at, limit, table, m := g.GP64(), g.GP64(), g.GP64(), g.YMM()
	g.MOVQ(operand.U32(8+shift), at)
	g.SUBQ(width, at) // 8 + shift - width
	g.XORQ(limit, limit)
	g.CMPQ(at, operand.Imm(0))
	g.CMOVQLT(limit, at)
	g.MOVQ(operand.U32(8), limit)
	g.CMPQ(at, operand.Imm(8))
	g.CMOVQGT(limit, at)
	g.LEAQ(g.masks, table)
	g.VMOVUPS(operand.Mem{Base: table, Index: at, Scale: 4}, m)
	return m
}
