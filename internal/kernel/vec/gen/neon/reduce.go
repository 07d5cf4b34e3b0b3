package main

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

// reductions emits the sums: element i belongs to partial sum i mod 32 (16 in
// the softmax's), and these are joined in the order of sumGo.
func reductions(file *asm.File) {
	sum := func(l *loop, acc asm.Vec, load func(string) asm.Vec) { l.FAdd(acc, acc, load("x")) }
	reduce(file, "Sum", "returns Σ x.", "x []float32", 8, sum, "x")
	reduce(file, "Sum16", "returns Σ x with 16 partial sums.", "x []float32", 4, sum, "x")
	squares := func(l *loop, acc asm.Vec, load func(string) asm.Vec) {
		x := load("x")
		l.FMulAdd(acc, x, x)
	}
	reduce(file, "SumSquares", "returns Σ x².", "x []float32", 8, squares, "x")
	reduce(file, "Dot", "returns Σ a·b.", "a, b []float32", 8, func(l *loop, acc asm.Vec, load func(string) asm.Vec) {
		l.FMulAdd(acc, load("a"), load("b"))
	}, "a", "b")
	products := func(l *loop, acc asm.Vec, load func(string) asm.Vec) {
		a := load("a")
		l.FMul(a, a, load("b"))
		l.FMulAdd(acc, a, load("c"))
	}
	reduce(file, "Dot3", "returns Σ (a·b)·c.", "a, b, c []float32", 8, products, "a", "b", "c")
	maximum(file)
}

// reduce emits one reduction with parts registers of partial sums. term adds
// the values that load returns; where fewer than four are left, the other
// lanes are zeros.
func reduce(file *asm.File, name, doc, signature string, parts int,
	term func(l *loop, acc asm.Vec, load func(slice string) asm.Vec), slices ...string) {
	l, left := function(file, name, doc, signature, slices...)
	acc := make([]asm.Vec, parts)
	for i := range acc {
		acc[i] = l.Zero()
	}
	l.while(left, 4*parts, func() {
		for i := range acc {
			term(l, acc[i], func(slice string) asm.Vec { return l.Load(l.base[slice], 16*i) })
		}
	})
	for i := range acc {
		few := fmt.Sprintf("few%d", i)
		l.JumpIf(left, "LT", 4, few)
		term(l, acc[i], func(slice string) asm.Vec { return l.Load(l.base[slice], 16*i) })
		l.AddI(left, left, -4)
	}
	l.Jump("join") // not reached: fewer than 4·parts were left
	for i := range acc {
		l.Label(fmt.Sprintf("few%d", i))
		l.few(left, i, func(n int) {
			term(l, acc[i], func(slice string) asm.Vec { return l.leading(n, slice, 16*i) })
		})
	}
	l.Label("join")
	l.RetFloat(l.join(acc))
}

// few emits body for each number of values left, 1 to 3.
func (l *loop) few(left asm.GP, i int, body func(n int)) {
	l.JumpIf(left, "EQ", 0, "join")
	for n := 1; n <= 3; n++ {
		next := fmt.Sprintf("not%dof%d", n, i)
		if n < 3 {
			l.JumpIf(left, "NE", n, next)
		}
		body(n)
		l.Jump("join")
		if n < 3 {
			l.Label(next)
		}
	}
}

// leading reads n values, 1 to 3.
func (l *loop) leading(n int, slice string, off int) asm.Vec {
	p := l.base[slice]
	switch n {
	case 1:
		return l.LoadOne(p, off)
	case 2:
		return l.LoadHalf(p, off)
	}
	v := l.LoadHalf(p, off)
	l.ZipHalves1(v, v, l.LoadOne(p, off+8))
	return v
}

// join adds the partial sums, eight lanes to a vector: the vectors of a pair,
// the pairs, then halves, quarters and eighths.
func (l *loop) join(acc []asm.Vec) asm.Vec {
	for ; len(acc) > 2; acc = acc[:len(acc)/2] {
		for i := 0; i < len(acc)/2; i++ {
			from := i/2*4 + i%2
			l.FAdd(acc[from], acc[from], acc[from+2])
			acc[i] = acc[from]
		}
	}
	v, high := acc[0], l.Vec()
	l.FAdd(v, v, acc[1])
	l.HighHalf(high, v)
	l.FAdd(v, v, high)
	l.FAddPairs(v, v, v)
	return v
}

// maximum emits the greatest element, NaN if there is one among them.
func maximum(file *asm.File) {
	const doc = "returns the greatest of x, which is not empty, NaN if any is NaN."
	l, left := function(file, "Max", doc, "x []float32", "x")
	acc := make([]asm.Vec, 4)
	first := l.Dup(l.LoadOne(l.base["x"], 0))
	for i := range acc {
		acc[i] = l.Copy(first)
	}
	l.while(left, 16, func() {
		for i := range acc {
			l.FMax(acc[i], acc[i], l.Load(l.base["x"], 16*i))
		}
	})
	l.while(left, 1, func() { l.FMax(acc[0], acc[0], l.Dup(l.LoadOne(l.base["x"], 0))) })
	l.FMax(acc[0], acc[0], acc[1])
	l.FMax(acc[2], acc[2], acc[3])
	l.FMax(acc[0], acc[0], acc[2])
	high := l.Vec()
	l.HighHalf(high, acc[0])
	l.FMax(acc[0], acc[0], high)
	l.Zip1(high, acc[0], acc[0]) // lanes 0, 0, 1, 1
	l.HighHalf(high, high)
	l.FMax(acc[0], acc[0], high)
	l.RetFloat(acc[0])
}
