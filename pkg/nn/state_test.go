package nn_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func TestNilState(t *testing.T) {
	var s *nn.State
	s.Advance(3)
	if s.Get("h") != nil || s.Part("x") != nil || s.Part("x").Get("y") != nil {
		t.Error("a nil state holds something")
	}
}

// sample is a state with a part and a cache.
func sample(t *testing.T, d *tensor.Device) *nn.State {
	t.Helper()
	a, err := nn.NewAttention(nn.NewBuilder(d, 1), 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := nn.NewState()
	s.Set("h", tensor.From(d, mixertest.Noise(1, 6), 2, 3))
	s.SetPart("mixer", a.NewState(2))
	s.Advance(7)
	return s
}

func TestStateExportImport(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		s := sample(t, d)
		snap := mixertest.ThroughJSON(t, s.Export())
		s.Get("h").Zero() // an export is a copy
		other := sample(t, d)
		other.Get("h").Zero()
		if err := other.Import(snap); err != nil {
			t.Fatal(err)
		}
		if got := other.Get("h").Data(); other.Position != 7 || !slices.Equal(got, mixertest.Noise(1, 6)) {
			t.Errorf("%s: position %d, h %v after Import", d, other.Position, got)
		}
	}
}

func TestStateImportRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *nn.Snapshot)
		says   string
	}{
		"missing tensor": {func(s *nn.Snapshot) { delete(s.Tensors, "h") }, `tensor "h" is missing`},
		"missing part":   {func(s *nn.Snapshot) { delete(s.Parts, "mixer") }, `part "mixer" is missing`},
		"nested":         {func(s *nn.Snapshot) { delete(s.Parts["mixer"].Tensors, "keys") }, `tensor "keys" is missing`},
		"unknown tensor": {func(s *nn.Snapshot) { s.Tensors["g"] = []float64{1} }, `tensor "g" is unknown`},
		"unknown part":   {func(s *nn.Snapshot) { s.Parts["conv"] = s.Parts["mixer"] }, `part "conv" is unknown`},
		"shape":          {func(s *nn.Snapshot) { s.Shapes["h"] = []int{3, 2} }, `tensor "h" is [3 2], want [2 3]`},
		"length":         {func(s *nn.Snapshot) { s.Tensors["h"] = s.Tensors["h"][:5] }, `tensor "h" has 5 elements for shape [2 3]`},
		"position":       {func(s *nn.Snapshot) { s.Position = -1 }, `position is -1, want 0 or more`},
		"cache too small": {func(s *nn.Snapshot) { s.Parts["mixer"].Position = 17 },
			`is [2 16 4], want (2, 17 or more, 4)`},
		"cache of another width": {func(s *nn.Snapshot) { s.Parts["mixer"].Shapes["keys"] = []int{2, 16, 5} }, `tensor "keys" is [2 16 5], want [2 16 4]`},
		"cache of another rank":  {func(s *nn.Snapshot) { s.Parts["mixer"].Shapes["keys"] = []int{128} }, `cache "keys" is [128]`},
		"cache without room":     {func(s *nn.Snapshot) { s.Parts["mixer"].Shapes["keys"] = []int{2, 0, 4} }, `cache "keys" is [2 0 4]`},
	} {
		s := sample(t, tensor.Reference())
		snap := s.Export()
		tt.change(snap)
		t.Run(name, func(t *testing.T) { mixertest.WantErrors(t, s.Import(snap), tt.says) })
	}
	mixertest.WantErrors(t, sample(t, tensor.Reference()).Import(nil), "no snapshot")
}
