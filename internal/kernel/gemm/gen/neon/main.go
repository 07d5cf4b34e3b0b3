// Command neon writes the NEON kernels of package gemm.
package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"os"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

// The sizes of the register tile, as in tiles.go, and of a register.
const (
	tileRows = 6
	tileVecs = 4  // registers in a panel's row
	vecBytes = 16 // 4 float32
)

func main() {
	offsets, err := fieldOffsets("tiles.go", "tiles")
	if err != nil {
		log.Fatal("neon: ", err)
	}
	var file asm.File
	for rows := 1; rows <= tileRows; rows++ {
		writeMul(&file, offsets, rows, tileVecs, 1)
		writeMul(&file, offsets, rows, tileVecs/2, 1)
	}
	// For the last rows, and for few rows altogether: a tile by itself has
	// too few accumulators to hide the latency of a multiply-add.
	writeMul(&file, offsets, 1, tileVecs, 4)
	writeMul(&file, offsets, 2, tileVecs, 2)
	writeMul(&file, offsets, 3, tileVecs, 2)
	writePackTransposed(&file)
	if err := file.Main(os.Args[1:]); err != nil {
		log.Fatal("neon: ", err)
	}
}

// fieldOffsets are the offsets of the fields of a struct, for arm64.
func fieldOffsets(source, name string) (map[string]int, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, source, nil, 0)
	if err != nil {
		return nil, err
	}
	sizes := types.SizesFor("gc", "arm64")
	pkg, err := (&types.Config{Sizes: sizes}).Check(f.Name.Name, fset, []*ast.File{f}, nil)
	if err != nil {
		return nil, err
	}
	t := pkg.Scope().Lookup(name).Type().Underlying().(*types.Struct)
	fields := make([]*types.Var, t.NumFields())
	for i := range fields {
		fields[i] = t.Field(i)
	}
	offsets := map[string]int{}
	for i, at := range sizes.Offsetsof(fields) {
		offsets[fields[i].Name()] = int(at)
	}
	return offsets, nil
}
