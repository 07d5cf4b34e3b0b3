//go:build amd64 && !noasm

package scan

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// One step of sixteen states has the bits of the AVX2 kernels: for every width
// about its rows of channels and a frame, with every option.
func TestAVX512Step(t *testing.T) {
	needAVX512(t)
	for _, d := range []int{15, 16, 17, 40, 256, 300} {
		for i := range 1 << 5 {
			bit := func(k int) bool { return i>>k&1 != 0 }
			o := options{softplus: true, noBias: bit(0), noSkip: bit(1), noGate: bit(2), noH0: bit(3), signed: bit(4)}
			seed := uint64(i)
			step := func() *Selective {
				p, _ := problem(rand.New(rand.NewPCG(seed, uint64(d))), Shape{2, 1, d, 16}, o)
				p.Checkpoints = nil
				p.Forward(nil)
				return p
			}
			var want *Selective
			withAVX2(func() { want = step() })
			got := step()
			sameBits(t, fmt.Sprint(d, o, ": Y"), got.Y, want.Y)
			sameBits(t, fmt.Sprint(d, o, ": HT"), got.HT, want.HT)
		}
	}
}
