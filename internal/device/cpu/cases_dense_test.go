package cpu_test

import (
	"fmt"
	"math"
)

func memoryCases() []testCase {
	var cs []testCase
	for _, n := range []int{1, 7, 50001} {
		mode := fmt.Sprintf("n=%d", n)
		cs = append(cs,
			testCase{op: "Alloc", mode: mode, run: func(e *env) { e.values("len", float64(e.Alloc(n).Len())) }},
			testCase{op: "Upload", mode: mode, run: func(e *env) { e.result("x", e.in(n)) }},
			testCase{op: "Download", mode: mode, run: func(e *env) {
				x := make([]float64, n)
				e.Download(x, e.in(n))
				e.values("x", x...)
			}},
			testCase{op: "Zero", mode: mode, zero: true, run: func(e *env) { e.Zero(e.out("x", n)) }},
			testCase{op: "Fill", mode: mode, run: func(e *env) { e.Fill(e.out("x", n), 0.1) }},
			testCase{op: "Copy", mode: mode, run: func(e *env) { e.Copy(e.out("y", n), e.in(n)) }},
		)
	}
	for _, s := range [][2]int{{1, 1}, {3, 5}, {700, 33}} {
		for _, add := range []bool{false, true} {
			rows, cols := s[0], s[1]
			cs = append(cs, testCase{op: "CopyBlock", mode: fmt.Sprintf("%dx%d add=%v", rows, cols, add), run: func(e *env) {
				src, dst := e.in(2+rows*(cols+3)), e.result("dst", e.in(4+rows*(cols+2)))
				e.CopyBlock(rows, cols, src, 2, cols+3, dst, 4, cols+2, add)
			}})
		}
	}
	return cs
}

func denseCases() []testCase {
	var cs []testCase
	shapes := [][3]int{{1, 1, 1}, {5, 7, 3}, {1, 100, 64}, {17, 33, 65}, {64, 48, 128}, {130, 96, 257}, {200, 17, 300}, {6, 16, 1}, {1, 700, 200}, {1, 5, 3}}
	for i, s := range shapes {
		for mode := range 8 {
			transA, transB, add := mode&1 != 0, mode&2 != 0, mode&4 != 0
			bias := (i+mode)%2 == 0
			m, n, k := s[0], s[1], s[2]
			name := fmt.Sprintf("m=%d n=%d k=%d transA=%v transB=%v add=%v bias=%v", m, n, k, transA, transB, add, bias)
			cs = append(cs, testCase{op: "MatMul", mode: name, run: func(e *env) {
				a, b, row := e.in(m*k), e.in(k*n), maybe(bias, e.in(n))
				c := e.result("c", e.in(m*n))
				if !add {
					e.Fill(c, math.NaN())
				}
				e.MatMul(transA, transB, m, n, k, a, b, row, c, add)
			}})
		}
	}
	for _, s := range [][2]int{{1, 1}, {3, 7}, {400, 65}, {5000, 3}} {
		m, n := s[0], s[1]
		mode := fmt.Sprintf("m=%d n=%d", m, n)
		cs = append(cs,
			testCase{op: "SumRows", mode: mode, run: func(e *env) { e.SumRows(m, n, e.in(m*n), e.grad("dst", n)) }},
			testCase{op: "Embedding", mode: mode, run: func(e *env) {
				e.Embedding(e.ints(m, 0, 9), n, e.in(9*n), e.out("y", m*n))
			}},
			testCase{op: "EmbeddingGrad", mode: mode, run: func(e *env) {
				e.EmbeddingGrad(e.ints(m, 0, 9), n, e.in(m*n), e.grad("dw", 9*n))
			}},
		)
	}
	return cs
}
