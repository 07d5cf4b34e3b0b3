package optim_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// tolerance is that of testdata/torch/README.md for float64, and for float32
// the project's for one operation: five steps of ten roundings of 6e-8 each.
func tolerance(d *tensor.Device) float64 {
	if d.Name() == "reference" {
		return 1e-9
	}
	return 1e-5
}

// TestTorchAdamW: norms, parameters after every step and the final moments are
// those of torch's AdamW and clip_grad_norm_.
func TestTorchAdamW(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		worst := 0.0
		for _, c := range golden.Load(t, "optim.json") {
			got := runTorchCase(t, d, c)
			for name, want := range c.Outputs {
				e := golden.RelErr(got[name], want.Data)
				worst = max(worst, e)
				if !(e <= tolerance(d)) {
					t.Errorf("%s: %s: %s: relative error %.2g, want <= %g", d, c.Name, name, e, tolerance(d))
				}
			}
		}
		t.Logf("%s: worst %.2g", d, worst)
	}
}

// runTorchCase takes the steps of a case and returns what its outputs hold.
func runTorchCase(t *testing.T, d *tensor.Device, c golden.Case) map[string][]float64 {
	t.Helper()
	num := func(k string) float64 { return c.Meta[k].(float64) }
	var params []*tensor.Param
	for _, name := range []string{"p0", "p1"} {
		params = append(params, tensor.NewParam(d, name, tensor.Decay, c.Inputs[name].Data, c.Inputs[name].Shape...))
	}
	opt, err := optim.NewAdamW(params, optim.AdamWConfig{Beta1: num("beta1"), Beta2: num("beta2"), Eps: num("eps"),
		WeightDecay: num("weight_decay"), RecurrentFactor: 1, Clip: num("max_norm")})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for step := range int(num("steps")) {
		for _, p := range params {
			if !rests(c, p.Name, step) {
				setGrad(p, c.Inputs["g_"+p.Name].Data[step*p.Len():(step+1)*p.Len()])
			}
		}
		out["norm"] = append(out["norm"], opt.Step(num("lr")))
		for _, p := range params {
			out[p.Name] = append(out[p.Name], p.Data()...)
			if slices.ContainsFunc(p.Grad(), func(g float64) bool { return g != 0 }) {
				t.Errorf("%s: Step left gradient %v, want zeros", d, p.Grad())
			}
		}
	}
	s := opt.Export()
	for i, p := range params {
		out["m_"+p.Name], out["v_"+p.Name] = s.M[i], s.V[i]
	}
	return out
}

// rests reports whether a parameter gets no gradient at a step of a case.
func rests(c golden.Case, param string, step int) bool {
	all, _ := c.Meta["rests"].(map[string]any)
	steps, _ := all[param].([]any)
	return slices.Contains(steps, any(float64(step)))
}

// groups makes one parameter of each group.
func groups(d *tensor.Device) []*tensor.Param {
	var all []*tensor.Param
	for _, g := range []tensor.Group{tensor.Decay, tensor.NoDecay, tensor.Recurrent} {
		all = append(all, tensor.NewParam(d, string(g), g, []float64{2, -3}, 2))
	}
	return all
}

// TestAdamWGroups: only decay decays, only recurrent has another learning rate.
func TestAdamWGroups(t *testing.T) {
	const lr, decay, factor, clip = 0.01, 0.5, 0.25, 1.0
	for _, d := range mixertest.Devices(t) {
		params := groups(d)
		opt, err := optim.NewAdamW(params, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-12, WeightDecay: decay, RecurrentFactor: factor, Clip: clip})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			setGrad(p, []float64{4, -4})
		}
		if norm := opt.Step(lr); math.Abs(norm-math.Sqrt(6*16)) > 1e-5 {
			t.Errorf("%s: norm %v, want that of all parameters before clipping, √96", d, norm)
		}
		// Adam's first step is lr against the sign of the gradient.
		tol := 1e-6 // one float32 rounding of 3
		near(t, d.Name()+" decay", params[0].Data(), []float64{2*(1-lr*decay) - lr, -3*(1-lr*decay) + lr}, tol)
		near(t, d.Name()+" no_decay", params[1].Data(), []float64{2 - lr, -3 + lr}, tol)
		near(t, d.Name()+" recurrent", params[2].Data(), []float64{2 - lr*factor, -3 + lr*factor}, tol)
	}
}

// TestAdamWRefusesBadGradients: NaN or Inf changes nothing, and is told.
func TestAdamWRefusesBadGradients(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			params := groups(d)
			opt, err := optim.NewAdamW(params, optim.DefaultAdamWConfig())
			if err != nil {
				t.Fatal(err)
			}
			before := opt.Export()
			setGrad(params[1], []float64{1, bad})
			if norm := opt.Step(0.1); !math.IsNaN(norm) && !math.IsInf(norm, 0) {
				t.Errorf("%s: norm %v of a gradient with %v", d, norm, bad)
			}
			for _, p := range params {
				if !slices.Equal(p.Data(), []float64{2, -3}) {
					t.Errorf("%s: %s changed to %v", d, p.Name, p.Data())
				}
			}
			if after := opt.Export(); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("%s: the moments or the step count changed", d)
			}
		}
	}
}

// TestAdamWCountsEachParameter: a parameter whose first gradient comes at step
// 11 is corrected for its first update, not for an eleventh, as in torch: two
// gradients of 1 move it twice by the learning rate.
func TestAdamWCountsEachParameter(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		early := tensor.NewParam(d, "early", tensor.NoDecay, []float64{1}, 1)
		late := tensor.NewParam(d, "late", tensor.NoDecay, []float64{1}, 1)
		cfg := optim.DefaultAdamWConfig()
		cfg.Clip = 0
		opt, err := optim.NewAdamW([]*tensor.Param{early, late}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 12 {
			setGrad(early, []float64{1})
			if step >= 10 {
				setGrad(late, []float64{1})
			}
			opt.Step(0.01)
		}
		near(t, d.Name()+" late", late.Data(), []float64{0.98}, 1e-6) // float32's rounding of 1
		if s := opt.Export(); s.Step != 12 || !slices.Equal(s.Steps, []int{12, 2}) {
			t.Errorf("%s: counts %d and %v, want 12 and [12 2]", d, s.Step, s.Steps)
		}
	}
}

// TestAdamWStateOfOneCount: a state from before counts were kept for each
// parameter means the same count for all, and equal counts are written so.
func TestAdamWStateOfOneCount(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		whole, second := newTrainer(t, d), newTrainer(t, d)
		whole.run(0, 3)
		text, err := json.Marshal(whole.opt.Export())
		if err != nil {
			t.Fatal(err)
		}
		var old struct {
			Step int
			M, V [][]float64
		}
		if err := json.Unmarshal(text, &old); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "steps") || old.Step != 3 {
			t.Fatalf("%s: written as %s, want one count of 3", d, text)
		}
		if err := second.opt.Import(optim.AdamWState{Step: old.Step, M: old.M, V: old.V}); err != nil {
			t.Fatal(err)
		}
		for i, p := range whole.params {
			second.params[i].SetData(p.Data())
		}
		whole.run(3, 5)
		second.run(3, 5)
		for i, p := range whole.params {
			if got := second.params[i].Data(); !slices.Equal(got, p.Data()) {
				t.Errorf("%s: %s is %v, want %v", d, p.Name, got, p.Data())
			}
		}
	}
}

// TestAdamWUntouchedParameter: what never got a gradient stays as it is, as in
// torch, and does not decay.
func TestAdamWUntouchedParameter(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		params := groups(d)
		opt, err := optim.NewAdamW(params, optim.DefaultAdamWConfig())
		if err != nil {
			t.Fatal(err)
		}
		setGrad(params[1], []float64{1, 1})
		opt.Step(0.1)
		if got := params[0].Data(); !slices.Equal(got, []float64{2, -3}) {
			t.Errorf("%s: a parameter without gradient went to %v", d, got)
		}
	}
}

// trainer is a run of random gradients that can be interrupted.
type trainer struct {
	params []*tensor.Param
	opt    *optim.AdamW
}

func newTrainer(t *testing.T, d *tensor.Device) trainer {
	t.Helper()
	params := groups(d)
	opt, err := optim.NewAdamW(params, optim.DefaultAdamWConfig())
	if err != nil {
		t.Fatal(err)
	}
	return trainer{params, opt}
}

func (tr trainer) run(from, to int) {
	for step := from; step < to; step++ {
		rng := rand.New(rand.NewPCG(5, uint64(step)))
		for _, p := range tr.params {
			setGrad(p, []float64{rng.NormFloat64(), rng.NormFloat64()})
		}
		tr.opt.Step(0.01 / float64(step+1))
	}
}

// TestAdamWResume: exported, written as JSON, read and imported, the run goes
// on bit for bit as if nothing had happened.
func TestAdamWResume(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		whole, first, second := newTrainer(t, d), newTrainer(t, d), newTrainer(t, d)
		whole.run(0, 9)
		first.run(0, 4)
		text, err := json.Marshal(first.opt.Export())
		if err != nil {
			t.Fatal(err)
		}
		var state optim.AdamWState
		if err := json.Unmarshal(text, &state); err != nil {
			t.Fatal(err)
		}
		if err := second.opt.Import(state); err != nil {
			t.Fatal(err)
		}
		for i, p := range first.params {
			second.params[i].SetData(p.Data())
		}
		second.run(4, 9)
		for i, p := range whole.params {
			if got := second.params[i].Data(); !slices.Equal(got, p.Data()) {
				t.Errorf("%s: %s is %v after the interruption, want %v", d, p.Name, got, p.Data())
			}
		}
		if got, want := fmt.Sprint(second.opt.Export()), fmt.Sprint(whole.opt.Export()); got != want {
			t.Errorf("%s: moments %s after the interruption, want %s", d, got, want)
		}
	}
}

func TestAdamWExportIsACopy(t *testing.T) {
	tr := newTrainer(t, tensor.Reference())
	tr.run(0, 1)
	s := tr.opt.Export()
	before := fmt.Sprint(s)
	tr.run(1, 2)
	if fmt.Sprint(s) != before {
		t.Error("a later step changed an exported state")
	}
}

func TestAdamWImportRefuses(t *testing.T) {
	two := func() [][]float64 { return [][]float64{{0, 0}, {0, 0}, {0, 0}} }
	for _, tt := range []struct {
		state optim.AdamWState
		says  string
	}{
		{optim.AdamWState{M: two(), V: two()[:2]}, "moments of 3 and 2 parameters, want 3"},
		{optim.AdamWState{M: two(), V: [][]float64{{0, 0}, {0}, {0, 0}}}, "moments of no_decay have 2 and 1 elements, want 2"},
		{optim.AdamWState{Step: -1, M: two(), V: two()}, "step of decay is -1, want 0 or more"},
		{optim.AdamWState{Steps: []int{1, 2}, M: two(), V: two()}, "steps of 2 parameters, want 3"},
	} {
		tr := newTrainer(t, tensor.Reference())
		mixertest.WantErrors(t, tr.opt.Import(tt.state), tt.says)
	}
}

func TestAdamWConfigErrors(t *testing.T) {
	if err := optim.DefaultAdamWConfig().Validate(); err != nil {
		t.Error(err)
	}
	nan := math.NaN()
	bad := optim.AdamWConfig{Beta1: 1, Beta2: -0.5, Eps: 0, WeightDecay: nan, RecurrentFactor: 11, Clip: math.Inf(1)}
	texts := []string{"optimiser.beta1 is 1, want 0 <= beta1 < 1", "optimiser.beta2 is -0.5", "optimiser.eps is 0",
		"optimiser.weight_decay is NaN", "optimiser.recurrent_factor is 11", "optimiser.clip is +Inf"}
	mixertest.WantErrors(t, bad.Validate(), texts...)
	_, err := optim.NewAdamW(nil, bad)
	mixertest.WantErrors(t, err, texts...)
	mixertest.WantErrors(t, optim.AdamWConfig{Beta1: nan, Beta2: nan, Eps: nan, Clip: nan}.Validate(), "beta1", "beta2", "eps", "clip")
}

// TestAdamWResumeOfAParameterInDisuse: a parameter that gets no gradient at a
// step is passed over, whether the optimiser has seen one of it or its moments
// come from a file. Before, the first was moved by its moments and decayed.
func TestAdamWResumeOfAParameterInDisuse(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		steps := func(tr trainer, from, to int) {
			for step := from; step < to; step++ {
				for i, p := range tr.params {
					if i == 0 || step < 2 || step > 4 { // the others rest for three steps
						setGrad(p, []float64{float64(step) - 3, 1})
					}
				}
				tr.opt.Step(0.01)
			}
		}
		whole, first, second := newTrainer(t, d), newTrainer(t, d), newTrainer(t, d)
		steps(whole, 0, 7)
		steps(first, 0, 3)
		if err := second.opt.Import(first.opt.Export()); err != nil {
			t.Fatal(err)
		}
		for i, p := range first.params {
			second.params[i].SetData(p.Data())
		}
		steps(second, 3, 7)
		for i, p := range whole.params {
			if got := second.params[i].Data(); !slices.Equal(got, p.Data()) {
				t.Errorf("%s: %s is %v after the interruption, want %v", d, p.Name, got, p.Data())
			}
		}
		if got, want := fmt.Sprint(second.opt.Export()), fmt.Sprint(whole.opt.Export()); got != want {
			t.Errorf("%s: %s after the interruption, want %s", d, got, want)
		}
	}
}
