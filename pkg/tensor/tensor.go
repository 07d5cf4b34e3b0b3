package tensor

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Tensor is a contiguous row-major array on a device, possibly a view into
// another one, possibly with a gradient.
type Tensor struct {
	dev      *Device
	shape    []int
	buf      device.Buf
	grad     device.Buf // of a root only; views share their base's
	idle     device.Buf // memory for the next gradient, of a tensor without tape
	needs    bool       // a gradient is wanted
	tape     *Tape      // owner of buf and grad; nil when they live on their own
	base     *Tensor    // what this views, nil for a root
	off      int        // offset into base
	lent     bool       // buf is not from the arena of tape
	retain   bool
	spare    bool // of a root: no recorded gradient reads the elements
	released bool
}

// New returns a tensor of zeros that lives on its own, without gradient.
func New(d *Device, shape ...int) *Tensor {
	wantExtents("New", shape)
	t := &Tensor{dev: d, shape: append([]int(nil), shape...)}
	t.buf = d.impl.Alloc(size(shape))
	d.impl.Zero(t.buf)
	return t
}

// From returns a tensor that holds data, rounded to the device's precision.
// It panics if the number of elements does not fit the shape.
func From(d *Device, data []float64, shape ...int) *Tensor {
	wantExtents("From", shape)
	if len(data) != size(shape) {
		panic(fmt.Sprintf("tensor: From: %d elements for shape %s, want %d", len(data), shapeString(shape), size(shape)))
	}
	t := &Tensor{dev: d, shape: append([]int(nil), shape...), buf: d.impl.Alloc(len(data))}
	d.impl.Upload(t.buf, data)
	return t
}

// Variable is From with a gradient.
func Variable(d *Device, data []float64, shape ...int) *Tensor {
	t := From(d, data, shape...)
	t.needs = true
	return t
}

// Shape returns the extent of each axis. The caller must not change it.
func (t *Tensor) Shape() []int { return t.shape }

// Dim returns the extent of axis i, from the end if i is negative.
func (t *Tensor) Dim(i int) int {
	if i < 0 {
		i += len(t.shape)
	}
	return t.shape[i]
}

// Len returns the number of elements.
func (t *Tensor) Len() int { return size(t.shape) }

// Device returns the device that t lives on.
func (t *Tensor) Device() *Device { return t.dev }

// NeedsGrad reports whether Backward fills t's gradient.
func (t *Tensor) NeedsGrad() bool { return t.needs }

// Data returns a copy of the elements. It panics if Backward or Reset has
// given them back.
func (t *Tensor) Data() []float64 {
	t.alive("Data")
	out := make([]float64, t.Len())
	t.dev.impl.Download(out, t.buf)
	return out
}

// SetData overwrites the elements.
func (t *Tensor) SetData(data []float64) {
	t.alive("SetData")
	if len(data) != t.Len() {
		panic(fmt.Sprintf("tensor: SetData: %d elements for shape %s, want %d", len(data), shapeString(t.shape), t.Len()))
	}
	t.dev.impl.Upload(t.buf, data)
}

// CopyFrom overwrites t's elements with src's, on the same device.
func (t *Tensor) CopyFrom(src *Tensor) {
	t.alive("CopyFrom")
	src.alive("CopyFrom")
	if t.dev.Name() != src.dev.Name() {
		panic(fmt.Sprintf("tensor: CopyFrom: src is on %s, want %s", src.dev.Name(), t.dev.Name()))
	}
	if t.Len() != src.Len() {
		panic(fmt.Sprintf("tensor: CopyFrom: src is %s, want %s", shapeString(src.shape), shapeString(t.shape)))
	}
	t.dev.impl.Copy(t.buf, src.buf)
}

// Zero sets every element to 0.
func (t *Tensor) Zero() {
	t.alive("Zero")
	t.dev.impl.Zero(t.buf)
}

// Item returns the only element of a tensor of one element.
func (t *Tensor) Item() float64 {
	if t.Len() != 1 {
		panic(fmt.Sprintf("tensor: Item: shape %s, want one element", shapeString(t.shape)))
	}
	return t.Data()[0]
}

// Grad returns a copy of the gradient, all zeros if none has arrived, nil if
// none is wanted. Like Data it panics if Backward or Reset has given t back.
func (t *Tensor) Grad() []float64 {
	if !t.needs {
		return nil
	}
	t.alive("Grad")
	out := make([]float64, t.Len())
	if g := t.root().grad; !g.IsNil() {
		t.dev.impl.Download(out, g.Slice(t.off, t.off+t.Len()))
	}
	return out
}

// Retain keeps t's elements readable after Backward, until Reset. It returns t.
func (t *Tensor) Retain() *Tensor {
	t.root().retain = true
	return t
}

// String shows the shape, not the elements.
func (t *Tensor) String() string { return "tensor" + shapeString(t.shape) + " on " + t.dev.Name() }

func (t *Tensor) root() *Tensor {
	if t.base != nil {
		return t.base
	}
	return t
}

// unread reports whether t is a root whose elements no recorded gradient reads.
func (t *Tensor) unread() bool { return t.base == nil && t.spare }

func (t *Tensor) alive(op string) {
	if t.root().released {
		panic("tensor: " + op + ": the elements of this tensor" + shapeString(t.shape) +
			" were given back by Backward or Reset, or by Done; read them before, or call Retain when it is made")
	}
}

// rows returns the number of rows of the last axis.
func (t *Tensor) rows() int { return t.Len() / t.Dim(-1) }

// view returns a tensor over elements off to off+size(shape) of t.
func (t *Tensor) view(off int, shape []int) *Tensor {
	r := t.root()
	off += t.off
	return &Tensor{dev: t.dev, shape: shape, buf: r.buf.Slice(off, off+size(shape)), needs: t.needs, tape: t.tape, base: r, off: off}
}

// Reshape returns a view of t with another shape of as many elements; one
// extent may be -1 and is worked out.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	s := append([]int(nil), shape...)
	known, hole := 1, -1
	for i, n := range s {
		if n < 0 {
			hole = i
			continue
		}
		known *= n
	}
	if hole >= 0 && known > 0 {
		s[hole] = t.Len() / known
	}
	if size(s) != t.Len() {
		panic(fmt.Sprintf("tensor: Reshape: %s to %s, want %d elements", shapeString(t.shape), shapeString(shape), t.Len()))
	}
	wantExtents("Reshape", s)
	return t.view(0, s)
}

// Rows returns a view of rows lo to hi of the first axis.
func (t *Tensor) Rows(lo, hi int) *Tensor {
	if len(t.shape) == 0 || lo < 0 || hi > t.shape[0] || lo >= hi {
		panic(fmt.Sprintf("tensor: Rows: %d to %d of %s, want at least one existing row", lo, hi, shapeString(t.shape)))
	}
	stride := size(t.shape[1:])
	return t.view(lo*stride, append([]int{hi - lo}, t.shape[1:]...))
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func shapeString(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		if parts[i] = fmt.Sprint(d); d < 0 {
			parts[i] = "_"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
