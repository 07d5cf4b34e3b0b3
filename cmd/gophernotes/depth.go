//go:build gophernotes

package main

import (
	"fmt"
	"go/ast"
	"unsafe"

	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/gls"
)

// deepest is how many bytes of stack the functions of a cell may nest. Go ends
// the process at 1 GB, which no code can prevent; an interpreted call takes about
// 1 kB, and a stack grows by doubling, so this leaves it at 128 MB.
const deepest = 100 << 20

// depthCall compiles the look that rewriteBody puts into functions.
func depthCall(c *interp.Comp, _ interp.Symbol, _ *ast.CallExpr) *interp.Call {
	return call(c.Universe.FuncOf(nil, nil, false), checkDepth)
}

// checkDepth panics if the goroutine's stack is deeper than cells may go. The
// runtime's record of a goroutine, whose address the interpreter has, begins with
// the bounds of its stack, low and high.
func checkDepth() {
	var here byte
	g := gls.GoID()
	bounds := *(**[2]uintptr)(unsafe.Pointer(&g))
	if bounds[1]-uintptr(unsafe.Pointer(&here)) > deepest {
		panic(fmt.Sprintf("stack overflow: calls are nested %d MB deep; is there a recursion without end?", deepest>>20))
	}
}
