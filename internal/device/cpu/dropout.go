package cpu

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// dropper is device.Keep for one (seed, p), with the comparison turned into
// one of integers:
//
//	float64(x>>11)/2⁵³ ≥ p  ⇔  x>>11 ≥ ⌈p·2⁵³⌉
type dropper struct {
	seed      uint64
	threshold uint64
	scale     float32 // 1/(1−p)
}

func newDropper(p float64, seed uint64) dropper {
	return dropper{seed: seed, threshold: uint64(math.Ceil(p * (1 << 53))), scale: float32(1 / (1 - p))}
}

// mask returns all ones if element i is kept, all zeros otherwise. Zeroing the
// bits of a product drops a NaN, too, and does not branch on a coin toss.
func (k dropper) mask(i int) uint32 {
	x := k.seed + (uint64(i)+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	// Both are at most 2⁵³, so the difference is negative exactly if kept.
	return uint32(int64(k.threshold-1-x>>11) >> 63)
}

// apply returns x/(1−p) if element i is kept, 0 otherwise.
func (k dropper) apply(i int, x float32) float32 {
	return math.Float32frombits(math.Float32bits(x*k.scale) & k.mask(i))
}

// Dropout keeps element i if device.Keep(seed, i, p), scaled by 1/(1−p).
func (d *Device) Dropout(p float64, seed uint64, x, y device.Buf) {
	k := newDropper(p, seed)
	d.flat(len(y.F32), func(lo, hi int) {
		y, x := y.F32[lo:hi], x.F32[lo:hi]
		for i := range y {
			y[i] = k.apply(lo+i, x[i])
		}
	})
}

// DropoutGrad adds dy, dropped and scaled alike, to dx.
func (d *Device) DropoutGrad(p float64, seed uint64, dy, dx device.Buf) {
	k := newDropper(p, seed)
	d.flat(len(dx.F32), func(lo, hi int) {
		dx, dy := dx.F32[lo:hi], dy.F32[lo:hi]
		for i := range dx {
			dx[i] += k.apply(lo+i, dy[i])
		}
	})
}
