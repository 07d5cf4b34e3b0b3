// Package isa says, once at start, which instruction set the kernels use.
//
// On arm64 there is nothing to choose: every processor has NEON.
//
// GODEBUG=cpu.avx512f=off or cpu.avx2=off take a set away, to compare or to
// test: package cpu reads it at start.
package isa

// Names of the instruction sets that a kernel table can be built for. They
// are recorded with every run.
const (
	AVX512 = "avx512"
	AVX2   = "avx2"
	NEON   = "neon"
	Go     = "go"
)

// Name is the chosen instruction set: the widest that the processor has; NEON
// on arm64; Go on others, without AVX2 and FMA, or in a build with the tag
// noasm. AVX512 and AVX2 compute the same bits.
func Name() string {
	switch {
	case UseAVX512:
		return AVX512
	case UseAVX2:
		return AVX2
	case UseNEON:
		return NEON
	}
	return Go
}
