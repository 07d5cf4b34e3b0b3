package initializer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// NewRand returns the random source of one named stream of a seed: a PCG whose 128-bit state is the start of
// SHA-256("gophersnake/rand/1" ‖ seed (8 bytes, little endian) ‖ stream). Streams with different names or seeds are
// independent, and none depends on which others were made before it.
func NewRand(seed uint64, stream string) *rand.Rand {
	const domain = "gophersnake/rand/1" // changing it changes every result ever logged
	buf := make([]byte, 0, len(domain)+8+len(stream))
	buf = append(buf, domain...)
	buf = binary.LittleEndian.AppendUint64(buf, seed)
	buf = append(buf, stream...)
	sum := sha256.Sum256(buf)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[0:8]), binary.LittleEndian.Uint64(sum[8:16])))
}

// openUniform draws from U(0,1) without its end points, so that a logarithm of the result is finite: the 2^52
// equally likely values (k+½)·2⁻⁵².
func openUniform(rng *rand.Rand) float64 {
	return (float64(rng.Uint64()>>12) + 0.5) * 0x1p-52
}

// fill returns n draws of f.
func fill(fn string, n int, f func() float64) []float64 {
	need(n >= 0, fn, "n is %d, want >= 0", n)
	x := make([]float64, n)
	for i := range x {
		x[i] = f()
	}
	return x
}

// need panics with the function's name and what was wrong unless ok. Conditions are written so that NaN fails them.
func need(ok bool, fn, format string, args ...any) {
	if !ok {
		panic("initializer: " + fn + ": " + fmt.Sprintf(format, args...))
	}
}
