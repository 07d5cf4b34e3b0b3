package ceiling

// turn is a multiple of the float32 that any kernel handles in a turn of its loop:
// arrays have a multiple of it.
const turn = 128

// kernels are the loops that are measured, over arrays of a multiple of turn.
type kernels struct {
	flops float64 // of one turn of fma
	fma   func(turns int)
	read  func(a []float32)
	write func(dst []float32)
	copy  func(dst, a []float32)
	add   func(dst, a, b []float32)

	update func(dst []float32)
}

// portable are the loops in plain Go.
var portable = kernels{
	flops: 8,
	fma:   fmaGo,
	read:  readGo,
	write: func(dst []float32) { clear(dst) },
	copy:  func(dst, a []float32) { copy(dst, a) },
	add: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	},
	update: func(dst []float32) {
		for i := range dst {
			dst[i] += 0
		}
	},
}

// fmaGo multiplies and adds in four independent sums.
func fmaGo(turns int) {
	var s [4]float32
	x := float32(turns) * 1e-30
	for range turns {
		s[0], s[1], s[2], s[3] = s[0]*x+x, s[1]*x+x, s[2]*x+x, s[3]*x+x
	}
	keep(s[:])
}

// readGo reads into four independent sums.
func readGo(a []float32) {
	var s [4]float32
	for ; len(a) >= 4; a = a[4:] {
		s[0], s[1], s[2], s[3] = s[0]+a[0], s[1]+a[1], s[2]+a[2], s[3]+a[3]
	}
	keep(s[:])
}

// keep makes the compiler compute s.
//
//go:noinline
func keep([]float32) {}
