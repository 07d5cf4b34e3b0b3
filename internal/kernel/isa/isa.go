// Package isa says, once at start, which instruction set the kernels use.
package isa

// Names of the instruction sets that a kernel table can be built for. They
// are recorded with every run.
const (
	AVX2 = "avx2"
	Go   = "go"
)

// Name is the chosen instruction set: AVX2 when the processor has AVX2 and
// FMA and the build is not tagged noasm, Go otherwise.
func Name() string {
	if UseAVX2 {
		return AVX2
	}
	return Go
}
