package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Device is the float64 device. It has no state.
type Device struct{}

var _ device.Device = (*Device)(nil)

// New returns the reference device.
func New() device.Device { return &Device{} }

// at returns x[i]; an absent x counts as zeros.
func at(x device.Buf, i int) float64 {
	if x.IsNil() {
		return 0
	}
	return x.F64[i]
}

// set stores x[i] = v unless x is absent.
func set(x device.Buf, i int, v float64) {
	if !x.IsNil() {
		x.F64[i] = v
	}
}

// add stores x[i] += v unless x is absent.
func add(x device.Buf, i int, v float64) {
	if !x.IsNil() {
		x.F64[i] += v
	}
}

// atC, setC and addC are at, set and add for the complex number of which re and
// im hold the parts; either may be absent.
func atC(re, im device.Buf, i int) complex128 { return complex(at(re, i), at(im, i)) }

func setC(re, im device.Buf, i int, v complex128) {
	set(re, i, real(v))
	set(im, i, imag(v))
}

func addC(re, im device.Buf, i int, v complex128) {
	add(re, i, real(v))
	add(im, i, imag(v))
}

// row returns a copy of x[lo : lo+n]; an absent x counts as zeros.
func row(x device.Buf, lo, n int) []float64 {
	r := make([]float64, n)
	for i := range r {
		r[i] = at(x, lo+i)
	}
	return r
}

// Name returns "reference".
func (*Device) Name() string { return "reference" }

// Alloc returns n NaNs: whoever reads before writing shall notice.
func (*Device) Alloc(n int) device.Buf {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.NaN()
	}
	return device.Buf{F64: x}
}

// Upload copies src to dst; float64 needs no rounding.
func (*Device) Upload(dst device.Buf, src []float64) { copy(dst.F64, src) }

// Download copies src to dst.
func (*Device) Download(dst []float64, src device.Buf) { copy(dst, src.F64) }

// Zero sets x to 0.
func (*Device) Zero(x device.Buf) { clear(x.F64) }

// Fill sets every element of x to v.
func (*Device) Fill(x device.Buf, v float64) {
	for i := range x.F64 {
		x.F64[i] = v
	}
}

// Copy copies src to dst.
func (*Device) Copy(dst, src device.Buf) { copy(dst.F64, src.F64) }

// CopyBlock copies, or adds if sum, a (rows,cols) block:
//
//	dst[dstOff + i·dstLD + j] = src[srcOff + i·srcLD + j]
func (*Device) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, sum bool) {
	for i := range rows {
		for j := range cols {
			from, to := srcOff+i*srcLD+j, dstOff+i*dstLD+j
			if sum {
				dst.F64[to] += src.F64[from]
			} else {
				dst.F64[to] = src.F64[from]
			}
		}
	}
}
