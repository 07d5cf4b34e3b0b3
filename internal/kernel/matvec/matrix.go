package matvec

import (
	"fmt"
	"math"
	"unsafe"
)

// Format says how a Matrix keeps its elements.
type Format string

// The formats.
const (
	Float32 Format = "float32" // 4 bytes an element, exact
	BF16    Format = "bf16"    // 2 bytes: relative error up to 2⁻⁸
	Int8    Format = "int8"    // 1 byte and a scale a row: error up to the row's greatest magnitude divided by 254
)

// Formats lists the formats.
func Formats() []Format { return []Format{Float32, BF16, Int8} }

// size is the bytes of an element.
func (f Format) size() int {
	switch f {
	case Float32:
		return 4
	case BF16:
		return 2
	case Int8:
		return 1
	}
	panic(fmt.Sprintf("matvec: format %q, want one of %v", f, Formats()))
}

const (
	// group is the number of columns of a row that lie together, and of the
	// partial sums.
	group = 32
	// Align is what a run of rows may begin at: every kernel's blocks of rows
	// divide it.
	Align = 8
	// minInPlace is from how many elements on a matrix of Float32 stays where it
	// is: 1 MiB, which no second-level cache holds for long. Reading rows apart is
	// as fast as reading blocks there, and slower by up to a third in that cache.
	minInPlace = 1 << 18
)

// Matrix is W (n, k), laid out for products. It does not change, so any number
// of goroutines may multiply by it at a time.
type Matrix struct {
	n, k, groups int
	format       Format
	set          kernelSet
	data         []byte    // (blocks, groups, rows of a block, 32) elements, on a cache line
	inPlace      bool      // data is w itself
	scale        []float32 // (n) of Int8
}

// New returns the row-major matrix w (n, k) in a format. A large one of Float32
// is not copied, so w must not change any more. It panics on a size that is not
// positive or does not fit w, and on an unknown format.
func New(f Format, n, k int, w []float32) *Matrix { return newMatrix(f, n, k, w, native()) }

func newMatrix(f Format, n, k int, w []float32, set kernelSet) *Matrix {
	if n < 1 || k < 1 || len(w) != n*k {
		panic(fmt.Sprintf("matvec: New: %d elements for (%d, %d), want positive sizes and their product", len(w), n, k))
	}
	m := &Matrix{n: n, k: k, groups: (k + group - 1) / group, format: f, set: set}
	apart := set == portable || set == avx2 || set == avx512 // who can read rows that lie apart
	if f == Float32 && apart && k%group == 0 && n >= Align && n*k >= minInPlace {
		m.data, m.inPlace = unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), 4*len(w)), true
		return m
	}
	rows := (n + Align - 1) / Align * Align
	m.data = lineAligned(rows * m.groups * group * f.size())
	if f == Int8 {
		m.scale = make([]float32, n)
	}
	for i := range n {
		m.put(i, w[i*k:][:k])
	}
	return m
}

// cacheLine is 64 bytes: a register that crosses lines is read twice.
const cacheLine = 64

// lineAligned returns n zero bytes that begin on a cache line.
func lineAligned(n int) []byte {
	b := make([]byte, n+cacheLine)
	skew := int(uintptr(unsafe.Pointer(&b[0])) % cacheLine)
	return b[(cacheLine-skew)%cacheLine:][:n:n]
}

// Rows returns n.
func (m *Matrix) Rows() int { return m.n }

// Width is the length that Mul wants of a vector: k, filled up with zeros to a
// multiple of 32.
func (m *Matrix) Width() int { return m.groups * group }

// Bytes returns how much memory one product reads of W.
func (m *Matrix) Bytes() int { return len(m.data) + 4*len(m.scale) }

// at is the place of columns 32g … of row i, in elements.
func (m *Matrix) at(i, g int) int {
	if m.inPlace {
		return i*m.k + g*group
	}
	rows := m.set.rows()
	return ((i/rows*m.groups+g)*rows + i%rows) * group
}

// floats, halves and bytes are the data of each format.
func (m *Matrix) floats() []float32 { return cast[float32](m.data) }
func (m *Matrix) halves() []uint16  { return cast[uint16](m.data) }
func (m *Matrix) bytes() []int8     { return cast[int8](m.data) }

func cast[T float32 | uint16 | int8](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(t)))
}

// half is the place of column j of a group of BF16, in elements: two vectors of
// the kernel's lanes lie in the lower and upper halves of one vector of words.
func (m *Matrix) half(j int) int {
	lanes := m.set.lanes()
	pair, lane := j/(2*lanes), j%(2*lanes)
	return 2*(pair*lanes+lane%lanes) + lane/lanes
}

// put stores row i.
func (m *Matrix) put(i int, row []float32) {
	var inverse float64
	if m.format == Int8 {
		m.scale[i], inverse = scaleOf(row)
	}
	for g := range m.groups {
		at, x := m.at(i, g), row[g*group:min((g+1)*group, m.k)]
		switch m.format {
		case Float32:
			copy(m.floats()[at:], x)
		case BF16:
			for j, v := range x {
				m.halves()[at+m.half(j)] = toBF16(v)
			}
		default:
			for j, v := range x {
				m.bytes()[at+j] = int8(math.RoundToEven(float64(v) * inverse))
			}
		}
	}
}

// scaleOf returns the scale of a row of Int8 and its inverse: 127 is the
// greatest magnitude. A row of zeros has the scale 0; one that is not finite NaN,
// which makes the product NaN.
func scaleOf(row []float32) (scale float32, inverse float64) {
	var top float64
	for _, v := range row {
		if a := math.Abs(float64(v)); a > top || a != a {
			top = a
		}
		if top != top || math.IsInf(top, 1) {
			return float32(math.NaN()), 0
		}
	}
	if top == 0 {
		return 0, 0
	}
	return float32(top / 127), 127 / top
}

// toBF16 rounds to nearest, ties to even. A NaN stays one.
func toBF16(v float32) uint16 {
	b := math.Float32bits(v)
	if v != v {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func fromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// Row sets dst (k) to row i as the products use it.
func (m *Matrix) Row(i int, dst []float32) {
	for g := range m.groups {
		at, y := m.at(i, g), dst[g*group:min((g+1)*group, m.k)]
		switch m.format {
		case Float32:
			copy(y, m.floats()[at:])
		case BF16:
			for j := range y {
				y[j] = fromBF16(m.halves()[at+m.half(j)])
			}
		default:
			for j, v := range m.bytes()[at : at+len(y)] {
				y[j] = float32(v) * m.scale[i]
			}
		}
	}
}

// Mul sets rows lo … hi−1 of y (n) to those of W x. lo is a multiple of Align;
// x has Width elements, those from k on being 0. It panics if they do not fit.
func (m *Matrix) Mul(lo, hi int, x, y []float32) {
	if lo < 0 || lo%Align != 0 || hi > m.n || lo > hi {
		panic(fmt.Sprintf("matvec: Mul: rows %d to %d of %d, want them to begin at a multiple of %d", lo, hi, m.n, Align))
	}
	if len(x) < m.Width() || len(y) < m.n {
		panic(fmt.Sprintf("matvec: Mul: %d and %d elements for (%d, %d), want at least %d and %d", len(x), len(y), m.n, m.k, m.Width(), m.n))
	}
	rows := m.set.rows()
	if blocks := (hi - lo) / rows; blocks > 0 {
		m.blocks(lo, blocks, x, y[lo:])
	}
	if at := hi - (hi-lo)%rows; at < hi {
		var last [Align]float32
		first := at
		if m.inPlace { // nothing follows the last row
			first = max(0, hi-rows)
		}
		m.blocks(first, 1, x, last[:])
		copy(y[at:hi], last[at-first:])
	}
	if m.scale != nil {
		for i, s := range m.scale[lo:hi] {
			y[lo+i] *= s
		}
	}
}
