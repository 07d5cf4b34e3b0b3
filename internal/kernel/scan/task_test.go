package scan

import (
	"math/rand/v2"
	"testing"
)

// TestTasks: every block of every batch row is one task's, tasks that follow
// each other are of different rows or not of neighbouring blocks, and the blocks
// share out whole pairs of groups.
func TestTasks(t *testing.T) {
	for _, s := range []Shape{{8, 1024, 256, 16}, {1, 1024, 256, 16}, {3, 1000, 272, 16}, {1, 2, 8, 1},
		{2, 4096, 100, 16}, {1, 4096, 200, 16}} {
		seen := map[[2]int]bool{}
		before := [2]int{-1, -1}
		for i := range s.tasks() {
			b, block := s.task(i)
			if b < 0 || b >= s.B || block < 0 || block >= s.blocks() || seen[[2]int{b, block}] {
				t.Errorf("%v: task %d is block %d of row %d, seen before or out of range", s, i, block, b)
			}
			if apart := max(block-before[1], before[1]-block); s.blocks() > 4 && b == before[0] && apart < 2 {
				t.Errorf("%v: tasks %d and %d are neighbouring blocks %d and %d of row %d", s, i-1, i, before[1], block, b)
			}
			seen[[2]int{b, block}], before = true, [2]int{b, block}
		}
		next := 0
		for block := range s.blocks() {
			lo, hi := split(s.groups(), s.blocks(), block)
			if lo != next || hi <= lo || lo%2 != 0 || hi-lo > s.widest() {
				t.Errorf("%v: block %d is groups %d to %d, want from %d, at most %d", s, block, lo, hi, next, s.widest())
			}
			next = hi
		}
		if next != s.groups() {
			t.Errorf("%v: the blocks end at group %d of %d", s, next, s.groups())
		}
	}
}

// TestPieces: the scratch of two tasks has a guard between, that of one task
// alone nothing to spare.
func TestPieces(t *testing.T) {
	var size arena
	size.pieces(3, 20)
	ar := arena{buf: make([]float32, size.off)}
	p := ar.pieces(3, 20)
	for i := range 3 {
		one := p.of(i)
		for j := range one.take(20) {
			one.buf[j]++
		}
	}
	sum := float32(0)
	for i, v := range ar.buf {
		if at := i % (20 + guard); v != 0 && at >= 20 {
			t.Fatalf("float %d, in the guard, is used", i)
		}
		sum += v
	}
	if sum != 60 {
		t.Errorf("%v floats are used, want 60", sum)
	}
	var alone arena
	if alone.pieces(1, 32); alone.off != 32 {
		t.Errorf("one task takes %d floats, want 32", alone.off)
	}
}

// TestSumLanes: all lengths, against the plain-Go sums.
func TestSumLanes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 70 {
		src, got, want := normal(r, n*lanes), filled(n, 1), filled(n, 1)
		engineFor(false, 2).sumLanes(got, src)
		goEngine{}.sumLanes(want, src)
		near(t, "sums", got, wide(want), stepTolerance)
	}
}
