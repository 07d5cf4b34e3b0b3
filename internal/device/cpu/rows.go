package cpu

import "github.com/gophersnake/gophersnake/internal/kernel/vec"

// ones makes vec.Axpy an addition of one number to many.
var ones = func() (x [1024]float32) {
	for i := range x {
		x[i] = 1
	}
	return x
}()

// addScalar sets dst = x + c. The fused 1·c + x is rounded once, like a sum.
func addScalar(dst, x []float32, c float32) {
	copy(dst, x)
	for len(dst) > 0 {
		n := min(len(dst), len(ones))
		vec.Axpy(dst[:n], c, ones[:n])
		dst = dst[n:]
	}
}
