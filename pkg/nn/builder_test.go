package nn_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// names returns the names of parameters in the order of their making.
func names(params []*tensor.Param) []string {
	var all []string
	for _, p := range params {
		all = append(all, p.Name)
	}
	return all
}

func TestBuilderNames(t *testing.T) {
	b := nn.NewBuilder(tensor.Reference(), 1)
	one := []float64{1}
	b.Param("a", tensor.Decay, one, 1)
	deep := b.Sub("x").Sub("y")
	deep.Param("a", tensor.NoDecay, one, 1)
	b.Sub("x").Param("a", tensor.Recurrent, []float64{1, 2, 3, 4}, 2, 2)
	want := []string{"a", "x.y.a", "x.a"}
	for _, from := range []*nn.Builder{b, deep} { // every builder knows all
		if got := names(from.Params()); !slices.Equal(got, want) {
			t.Errorf("parameters %v, want %v", got, want)
		}
	}
	p := b.Params()[2]
	if p.Group != tensor.Recurrent || !p.NeedsGrad() || !slices.Equal(p.Shape(), []int{2, 2}) {
		t.Errorf("parameter %s: group %q, shape %v, gradient %t", p.Name, p.Group, p.Shape(), p.NeedsGrad())
	}
	if n := nn.CountParams(b.Params()); n != 6 {
		t.Errorf("%d scalars, want 6", n)
	}
}

func TestBuilderCollisions(t *testing.T) {
	b := nn.NewBuilder(tensor.Reference(), 1)
	one := []float64{1}
	b.Sub("layer").Param("w", tensor.Decay, one, 1)
	mixertest.MustPanic(t, "the same part twice", func() { b.Sub("layer").Param("w", tensor.Decay, one, 1) }, `nn: Builder.Param`, `"layer.w" exists`)
	mixertest.MustPanic(t, "a name with the prefix in it", func() { b.Param("layer.w", tensor.Decay, one, 1) }, `"layer.w" exists`)
	if len(b.Params()) != 1 {
		t.Errorf("a refused parameter was kept: %v", names(b.Params()))
	}
}

// TestBuilderSeed: the initial values follow from the seed alone.
func TestBuilderSeed(t *testing.T) {
	values := func(d *tensor.Device, seed uint64) []float64 {
		b := nn.NewBuilder(d, seed)
		if _, err := nn.NewModel(b, tinyModel(), newAttention); err != nil {
			t.Fatal(err)
		}
		var all []float64
		for _, p := range b.Params() {
			all = append(all, p.Data()...)
		}
		return all
	}
	ref := values(tensor.Reference(), 1)
	if !slices.Equal(values(tensor.Reference(), 1), ref) {
		t.Error("two builds from one seed differ")
	}
	if mixertest.RelErr(values(tensor.Reference(), 2), ref) < 0.1 {
		t.Error("two seeds give the same values")
	}
	// Rounding once, and again where out_proj is scaled.
	if e := mixertest.RelErr(values(tensor.CPU(1), 1), ref); e > 3.0/(1<<24) {
		t.Errorf("cpu starts from other values than reference: %.2g", e)
	}
}

// TestStartOfLayers: PyTorch's bounds, reached but not passed, and ones.
func TestStartOfLayers(t *testing.T) {
	b := nn.NewBuilder(tensor.Reference(), 3)
	lin := nn.NewLinear(b.Sub("lin"), 16, 200, true)
	conv := nn.NewConv1D(b.Sub("conv"), 300, 4)
	norm := nn.NewLayerNorm(b.Sub("norm"), 5)
	for _, tt := range []struct {
		p     *tensor.Param
		group tensor.Group
		bound float64
	}{{lin.W, tensor.Decay, 0.25}, {lin.B, tensor.NoDecay, 0.25}, {conv.W, tensor.Decay, 0.5}, {conv.B, tensor.NoDecay, 0.5}} {
		data := tt.p.Data()
		lo, hi := slices.Min(data), slices.Max(data)
		if lo < -tt.bound || hi > tt.bound || lo > -0.95*tt.bound || hi < 0.95*tt.bound || tt.p.Group != tt.group {
			t.Errorf("%s (%s) lies in [%g, %g], want all of ±%g", tt.p.Name, tt.p.Group, lo, hi, tt.bound)
		}
	}
	if !slices.Equal(norm.W.Data(), []float64{1, 1, 1, 1, 1}) || !slices.Equal(norm.B.Data(), make([]float64, 5)) ||
		norm.W.Group != tensor.NoDecay || norm.B.Group != tensor.NoDecay {
		t.Errorf("LayerNorm starts at %v, %v", norm.W.Data(), norm.B.Data())
	}
	if nn.NewLinear(b.Sub("plain"), 2, 2, false).B != nil || nn.T(nil) != nil {
		t.Error("a linear layer without bias has one")
	}
}
