package cpu

import (
	"math/bits"
	"sync"
)

// minClass is the smallest size class: 2⁶ floats are four cache lines.
const minClass = 6

// freeList hands out scratch by size class (powers of two) and takes it back,
// so that a training step allocates nothing after the first.
type freeList struct {
	mu    sync.Mutex
	class [48][][]float32
}

func sizeClass(n int) int { return max(minClass, bits.Len(uint(n-1))) }

// get returns n floats of unspecified content.
func (f *freeList) get(n int) []float32 {
	if n == 0 {
		return nil
	}
	c := sizeClass(n)
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := len(f.class[c]); k > 0 {
		s := f.class[c][k-1]
		f.class[c] = f.class[c][:k-1]
		return s[:n]
	}
	return make([]float32, n, 1<<c)
}

// getZero returns n zeros.
func (f *freeList) getZero(n int) []float32 {
	s := f.get(n)
	clear(s)
	return s
}

// put takes back what get returned.
func (f *freeList) put(s []float32) {
	if cap(s) == 0 {
		return
	}
	c := sizeClass(cap(s))
	f.mu.Lock()
	f.class[c] = append(f.class[c], s)
	f.mu.Unlock()
}
