package ssm

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/nn"
)

// Steps in which a state decays visibly: with the official 0.001 to 0.1 the
// gradient of A is so small that its round-off hides small mistakes.
const bigDtMin, bigDtMax = 0.2, 1.0

// layers is the table of what is proved: every layer in every config that
// changes what it computes.
func layers() []layer {
	out := append(diagonalLayers(), s4dLayers()...)
	out = append(out, s6Layers()...)
	out = append(out, mambaLayers()...)
	return append(out, defaultLayers()...)
}

// defaultLayers are the layers as a user gets them: of a width at which cpu
// shares the work out.
func defaultLayers() []layer {
	return []layer{
		{"default/diagonal", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewDiagonal(b, DefaultDiagonalConfig()) }, 2},
		{"default/s4d", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewS4D(b, DefaultS4DConfig()) }, 2},
		{"default/s6", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewS6(b, DefaultS6Config()) }, 2},
		{"default/mamba", 64, func(b *nn.Builder) (nn.Mixer, error) { return NewMamba(b, DefaultMambaConfig()) }, 2},
	}
}

func diagonalLayers() (out []layer) {
	for _, param := range Params() {
		for _, gamma := range []bool{false, true} {
			// Away from 1, so that no perturbed |λ|⁷⁰ is large.
			cfg := DiagonalConfig{D: 3, N: 5, Param: param, RMin: 0.1, RMax: 0.9, MaxPhase: 2 * math.Pi, Gamma: gamma}
			out = append(out, layer{name: fmt.Sprintf("diagonal/%s/gamma=%t", param, gamma), d: cfg.D, make: func(b *nn.Builder) (nn.Mixer, error) { return NewDiagonal(b, cfg) }})
		}
	}
	return out
}

func s4dLayers() (out []layer) {
	for _, a := range AInits() {
		cfg := S4DConfig{D: 3, N: 4, A: a, DtMin: bigDtMin, DtMax: bigDtMax}
		out = append(out, layer{name: "s4d/" + string(a), d: cfg.D, make: func(b *nn.Builder) (nn.Mixer, error) { return NewS4D(b, cfg) }})
	}
	return out
}

func s6Layers() (out []layer) {
	add := func(name string, change func(c *S6Config)) {
		cfg := DefaultS6Config()
		cfg.D, cfg.N, cfg.DeltaRank, cfg.DtMin, cfg.DtMax = 3, 4, 2, bigDtMin, bigDtMax
		change(&cfg)
		out = append(out, layer{name: "s6/" + name, d: cfg.D, make: func(b *nn.Builder) (nn.Mixer, error) { return NewS6(b, cfg) }})
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

func mambaLayers() (out []layer) {
	add := func(name string, change func(c *MambaConfig)) {
		cfg := DefaultMambaConfig()
		cfg.D, cfg.Layers = 3, 4
		cfg.Core.N, cfg.Core.DtMin, cfg.Core.DtMax = 4, bigDtMin, bigDtMax
		change(&cfg)
		out = append(out, layer{name: "mamba/" + name, d: cfg.D, make: func(b *nn.Builder) (nn.Mixer, error) { return NewMamba(b, cfg) }})
	}
	add("small", func(*MambaConfig) {})
	add("conv=1", func(c *MambaConfig) { c.Conv = 1 })
	add("complex", func(c *MambaConfig) { c.Core.A = AInv })
	return out
}
