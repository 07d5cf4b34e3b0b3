package ssm

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func TestDefaultsAreValid(t *testing.T) {
	for _, err := range []error{DefaultDiagonalConfig().Validate(), DefaultSISOConfig().Validate(), DefaultS4DConfig().Validate(), DefaultS6Config().Validate(), DefaultMambaConfig().Validate()} {
		if err != nil {
			t.Error(err)
		}
	}
}

// changed returns a way to call a constructor with a change of its default.
func changed[C, L any](def func() C, make func(*nn.Builder, C) (L, error)) func(change func(*C)) func(*nn.Builder) error {
	return func(change func(*C)) func(*nn.Builder) error {
		c := def()
		change(&c)
		return func(b *nn.Builder) error { _, err := make(b, c); return err }
	}
}

// Each bad config is refused by its constructor, before a parameter is made, by
// an error that names all bad fields with value and range.
func TestBadConfigs(t *testing.T) {
	nan := math.NaN()
	diagonal := changed(DefaultDiagonalConfig, NewDiagonal)
	siso := changed(DefaultSISOConfig, NewSISO)
	s4d := changed(DefaultS4DConfig, NewS4D)
	s6 := changed(DefaultS6Config, NewS6)
	mamba := changed(DefaultMambaConfig, NewMamba)
	cases := []struct {
		want []string
		make func(b *nn.Builder) error
	}{
		{[]string{"diagonal.d is 0, want 1 to 65536", "diagonal.n is -1, want 1 to 65536"}, diagonal(func(c *DiagonalConfig) { c.D, c.N = 0, -1 })},
		{[]string{`diagonal.param is "cartesian", want one of [re_im exp polar]`}, diagonal(func(c *DiagonalConfig) { c.Param = "cartesian" })},
		{[]string{"diagonal.r_min is 1.5, want", "diagonal.r_max is 0.999, want r_min = 1.5"}, diagonal(func(c *DiagonalConfig) { c.RMin = 1.5 })},
		{[]string{"diagonal.r_max is NaN, want", "diagonal.max_phase is NaN, want"}, diagonal(func(c *DiagonalConfig) { c.RMax, c.MaxPhase = nan, nan })},
		{[]string{"diagonal.max_phase is 7, want 0 < max_phase <= 2π"}, diagonal(func(c *DiagonalConfig) { c.MaxPhase = 7 })},
		{[]string{"siso.d is 0, want 1 to 65536", "siso.n is 300, want 1 to 256"}, siso(func(c *SISOConfig) { c.D, c.N = 0, 300 })},
		{[]string{`siso.param is "re_im", want one of [polar real]`, "siso.r_min is NaN, want", "siso.r_max is 0.999, want r_min = NaN"}, siso(func(c *SISOConfig) { c.Param, c.RMin = ParamReIm, nan })},
		{[]string{"siso.max_phase is 1, want 0 for param real"}, siso(func(c *SISOConfig) { c.Param, c.MaxPhase = ParamReal, 1 })},
		{[]string{"siso.max_phase is 0, want 0 < max_phase <= 2π"}, siso(func(c *SISOConfig) { c.MaxPhase = 0 })},
		{[]string{"s4d.n is 7, want even for the complex s4d_lin"}, s4d(func(c *S4DConfig) { c.N = 7 })},
		{[]string{"s4d.d is 100000, want", "s4d.n is 512, want 1 to 256", "s4d.dt_min is 0, want 0 < dt_min"}, s4d(func(c *S4DConfig) { c.D, c.N, c.DtMin = 100000, 512, 0 })},
		{[]string{`s4d.a is "hippo", want one of [s4d_real real_half random s4d_lin s4d_inv s4d_legs]`}, s4d(func(c *S4DConfig) { c.A = "hippo" })},
		{[]string{"s6.dt_max is 0.0001, want dt_min = 0.001 <= dt_max"}, s6(func(c *S6Config) { c.DtMax = 1e-4 })},
		{[]string{"s6.dt_max is +Inf, want", "s6.dt_init_floor is NaN, want 0 or more"}, s6(func(c *S6Config) { c.DtMax, c.DtFloor = math.Inf(1), nan })},
		{[]string{"s6.signed is true, want false for the complex a = s4d_inv"}, s6(func(c *S6Config) { c.Signed, c.A = true, AInv })},
		{[]string{"s6.n is 257, want 1 to 256", "s6.delta_rank is -1, want 0 (automatic) to 65536", "s6.model_width is -2"}, s6(func(c *S6Config) { c.N, c.DeltaRank, c.Model = 257, -1, -2 })},
		{[]string{"mamba.expand is 0, want 1 to 16", "mamba.conv is 0, want 1 to 64", "mamba.layers is 0, want", "s6.n is 0, want 1 to 256"},
			mamba(func(c *MambaConfig) { c.Expand, c.Conv, c.Layers, c.Core.N = 0, 0, 0, 0 })},
		{[]string{"mamba.core.d is 64, want 0", "mamba.core.model_width is 8, want 0"}, mamba(func(c *MambaConfig) { c.Core.D, c.Core.Model = 64, 8 })},
		{[]string{"s6.d is 131072, want 1 to 65536"}, mamba(func(c *MambaConfig) { c.D = 65536 })},
	}
	for _, c := range cases {
		mixertest.BadConfig(t, c.make, c.want...)
	}
}

func TestKernelPanics(t *testing.T) {
	m, _ := diagonalLayers()[0].Build(t, tensor.Reference(), 1)
	c, _ := sisoLayers()[0].Build(t, tensor.Reference(), 1)
	s, _ := s4dLayers()[0].Build(t, tensor.Reference(), 1)
	for want, f := range map[string]func(){
		"ssm: Diagonal.Kernel: out 3, in 0, l 4, want channels 0 to 2": func() { m.(*Diagonal).Kernel(3, 0, 4) },
		"ssm: SISO.Kernel: channel 3, l 4, want channel 0 to 2":        func() { c.(*SISO).Kernel(3, 4) },
		"ssm: S4D.Kernel: channel -1, l 4, want channel 0 to 2":        func() { s.(*S4D).Kernel(-1, 4) },
	} {
		mixertest.MustPanic(t, "Kernel", f, want)
	}
}
