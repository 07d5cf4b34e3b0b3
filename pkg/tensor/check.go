package tensor

import "fmt"

// want panics unless t's shape is dims; -1 fits any extent.
func want(op, name string, t *Tensor, dims ...int) {
	ok := len(t.shape) == len(dims)
	for i := 0; ok && i < len(dims); i++ {
		ok = dims[i] < 0 || dims[i] == t.shape[i]
	}
	if !ok {
		panic(fmt.Sprintf("tensor: %s: %s is %s, want %s", op, name, shapeString(t.shape), shapeString(dims)))
	}
}

// wantLast panics unless t's last axis has extent n.
func wantLast(op, name string, t *Tensor, n int) {
	if len(t.shape) == 0 || t.Dim(-1) != n {
		panic(fmt.Sprintf("tensor: %s: %s is %s, want (..., %d)", op, name, shapeString(t.shape), n))
	}
}

// wantSame panics unless t has the shape of like.
func wantSame(op, name string, t, like *Tensor) { want(op, name, t, like.shape...) }

// want3 panics unless t is (B,L,D) and returns the three.
func want3(op, name string, t *Tensor) (b, l, d int) {
	if len(t.shape) != 3 {
		panic(fmt.Sprintf("tensor: %s: %s is %s, want (B, L, D)", op, name, shapeString(t.shape)))
	}
	return t.shape[0], t.shape[1], t.shape[2]
}

// lastAxis returns the extent of t's last axis and panics if t has no axis.
func lastAxis(op, name string, t *Tensor) int {
	if len(t.shape) == 0 {
		panic(fmt.Sprintf("tensor: %s: %s is (), want (..., n)", op, name))
	}
	return t.shape[len(t.shape)-1]
}

// wantExtents panics unless every extent is at least 1.
func wantExtents(op string, shape []int) {
	for _, n := range shape {
		if n < 1 {
			panic(fmt.Sprintf("tensor: %s: shape %v, want extents of at least 1", op, shape))
		}
	}
}

// wantBoth panics if only one of a pair of tensors is nil.
func wantBoth(op, nameA, nameB string, a, b *Tensor) {
	if (a == nil) != (b == nil) {
		panic(fmt.Sprintf("tensor: %s: only one of %s and %s is nil, want both or neither", op, nameA, nameB))
	}
}

// wantProbability panics unless p is the probability of a dropout.
func wantProbability(op string, p float64) {
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("tensor: %s: p is %g, want 0 <= p < 1", op, p))
	}
}

func wantCount(op, name string, got, n int) {
	if got != n {
		panic(fmt.Sprintf("tensor: %s: %d %s, want %d", op, got, name, n))
	}
}
