package ssm

import (
	"fmt"
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
)

// Steps in which a state decays visibly: with the official 0.001 to 0.1 the
// gradient of A is so small that its round-off hides small mistakes.
const bigDtMin, bigDtMax = 0.2, 1.0

// layers is the table of what is proved: every layer in every config that
// changes what it computes.
func layers() []mixertest.Layer {
	out := append(diagonalLayers(), sisoLayers()...)
	out = append(out, s4dLayers()...)
	out = append(out, s6Layers()...)
	out = append(out, mambaLayers()...)
	return append(out, defaultLayers()...)
}

func TestLayers(t *testing.T) { mixertest.Run(t, layers()) }

func TestLayersComplete(t *testing.T) { mixertest.Complete(t, layers()) }

// defaultLayers are the layers as a user gets them: of a width at which cpu
// shares the work out.
func defaultLayers() []mixertest.Layer {
	return []mixertest.Layer{
		{Name: "default/diagonal", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewDiagonal(b, DefaultDiagonalConfig()) }},
		{Name: "default/siso", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewSISO(b, DefaultSISOConfig()) }},
		{Name: "default/s4d", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewS4D(b, DefaultS4DConfig()) }},
		{Name: "default/s6", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewS6(b, DefaultS6Config()) }},
		{Name: "default/mamba", D: 64, PerTensor: 2, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewMamba(b, DefaultMambaConfig()) }},
	}
}

func diagonalLayers() (out []mixertest.Layer) {
	for _, param := range Params() {
		for _, gamma := range []bool{false, true} {
			// Away from 1, so that no perturbed |λ|⁷⁰ is large.
			cfg := DiagonalConfig{D: 3, N: 5, Param: param, RMin: 0.1, RMax: 0.9, MaxPhase: 2 * math.Pi, Gamma: gamma}
			out = append(out, mixertest.Layer{Name: fmt.Sprintf("diagonal/%s/gamma=%t", param, gamma), D: cfg.D, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewDiagonal(b, cfg) }})
		}
	}
	return out
}

func sisoLayers() (out []mixertest.Layer) {
	for _, param := range SISOParams() {
		for _, n := range []int{1, 3} {
			for _, gamma := range []bool{false, true} {
				cfg := SISOConfig{D: 3, N: n, Param: param, RMin: 0.1, RMax: 0.9, MaxPhase: 2 * math.Pi, Gamma: gamma}
				if param == ParamReal {
					cfg.MaxPhase = 0
				}
				out = append(out, mixertest.Layer{Name: fmt.Sprintf("siso/%s/n=%d/gamma=%t", param, n, gamma), D: cfg.D, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewSISO(b, cfg) }})
			}
		}
	}
	return out
}

func s4dLayers() (out []mixertest.Layer) {
	for _, a := range AInits() {
		cfg := S4DConfig{D: 3, N: 4, A: a, DtMin: bigDtMin, DtMax: bigDtMax}
		out = append(out, mixertest.Layer{Name: "s4d/" + string(a), D: cfg.D, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewS4D(b, cfg) }})
	}
	return out
}

func s6Layers() (out []mixertest.Layer) {
	add := func(name string, change func(c *S6Config)) {
		cfg := DefaultS6Config()
		cfg.D, cfg.N, cfg.DeltaRank, cfg.DtMin, cfg.DtMax = 3, 4, 2, bigDtMin, bigDtMax
		change(&cfg)
		out = append(out, mixertest.Layer{Name: "s6/" + name, D: cfg.D, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewS6(b, cfg) }})
	}
	for i := range 8 {
		parts := Selective{Delta: i&1 != 0, B: i&2 != 0, C: i&4 != 0}
		add(fmt.Sprintf("real/%s", parts), func(c *S6Config) { c.Selective = parts })
		add(fmt.Sprintf("complex/%s", parts), func(c *S6Config) { c.Selective, c.A = parts, ALin })
		add(fmt.Sprintf("signed/%s", parts), func(c *S6Config) { c.Selective, c.Signed = parts, true })
	}
	for _, a := range AInits() {
		add("start/"+string(a), func(c *S6Config) { c.A = a })
	}
	add("rank=1", func(c *S6Config) { c.DeltaRank = 1 })
	add("n=1", func(c *S6Config) { c.N = 1 })
	add("n=17", func(c *S6Config) { c.N = 17 })
	return out
}

func mambaLayers() (out []mixertest.Layer) {
	add := func(name string, change func(c *MambaConfig)) {
		cfg := DefaultMambaConfig()
		cfg.D, cfg.Layers = 3, 4
		cfg.Core.N, cfg.Core.DtMin, cfg.Core.DtMax = 4, bigDtMin, bigDtMax
		change(&cfg)
		out = append(out, mixertest.Layer{Name: "mamba/" + name, D: cfg.D, Make: func(b *nn.Builder) (nn.Mixer, error) { return NewMamba(b, cfg) }})
	}
	add("small", func(*MambaConfig) {})
	add("conv=1", func(c *MambaConfig) { c.Conv = 1 })
	add("complex", func(c *MambaConfig) { c.Core.A = AInv })
	return out
}
