package lab

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/rnn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Rung is one step of the ladder: a model that differs from another rung in
// exactly the declared fields.
type Rung struct {
	Number string   // "0", "A", "1", … as in the literature of the ladder
	Name   string   //
	Change string   // the one change, in words
	From   string   // name of the rung it is compared with; "" for none
	Fields []string // the fields of an Experiment that the change touches
	Expect string   // what the papers lead one to expect of the step
}

// Rungs returns the ladder from the convolution to Mamba (LRU Table 8; Mamba
// Tables 6, 7, 10), in order.
func Rungs() []Rung {
	return []Rung{
		{Number: "0", Name: "conv", Change: "short causal convolution only: no memory beyond its window"},
		{Number: "A", Name: "attention", Change: "causal softmax attention: the rival, O(L²)", From: "conv",
			Fields: []string{"model.block.conv", "model.block.expand", "model.block.gate", "model.block.hidden", "model.block.kind",
				"model.mixer.heads", "model.mixer.kind"}, Expect: "better"},
		{Number: "1", Name: "rnn", Change: "h = tanh(W h + U x + b)", From: "conv",
			Fields: []string{"model.mixer.kind", "model.mixer.nonlinearity", "model.mixer.start", "model.mixer.state"}, Expect: "better"},
		{Number: "2", Name: "linear", Change: "the tanh removed", From: "rnn",
			Fields: []string{"model.mixer.nonlinearity"}, Expect: "no worse"},
		{Number: "3a", Name: "diagonal", Change: "dense → complex diagonal, real and imaginary part trained directly", From: "linear",
			Fields: []string{"model.mixer.kind", "model.mixer.max_phase", "model.mixer.nonlinearity", "model.mixer.param", "model.mixer.r_max", "model.mixer.start", "model.mixer.state"},
			Expect: "better"},
		{Number: "3b", Name: "polar", Change: "λ = exp(−exp(ν) + i·exp(θ)): stable whatever ν is", From: "diagonal",
			Fields: []string{"model.mixer.param"}, Expect: "no worse"},
		{Number: "3c", Name: "ring", Change: "initialised near |λ| = 1", From: "polar",
			Fields: []string{"model.mixer.r_max", "model.mixer.r_min"}, Expect: "no worse"},
		{Number: "3d", Name: "lru", Change: "input scaled by γ = √(1−|λ|²), learned: the full LRU", From: "ring",
			Fields: []string{"model.mixer.gamma"}, Expect: "no worse"},
		{Number: "4", Name: "selective", Change: "Δ, B and C computed from the input, one state per channel", From: "lru",
			Fields: []string{"model.mixer.a", "model.mixer.dt_max", "model.mixer.dt_min", "model.mixer.gamma", "model.mixer.kind",
				"model.mixer.max_phase", "model.mixer.param", "model.mixer.r_max", "model.mixer.r_min", "model.mixer.select", "model.mixer.state"},
			Expect: "better"},
		{Number: "5", Name: "mamba", Change: "16 states per channel", From: "selective",
			Fields: []string{"model.mixer.state"}, Expect: "better"},
	}
}

// RungNamed returns the rung of that name.
func RungNamed(name string) (Rung, error) {
	var names []string
	for _, r := range Rungs() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Rung{}, fmt.Errorf("lab: rung %q, want one of %s", name, strings.Join(names, ", "))
}

// RungNames returns the names of the rungs, in order.
func RungNames() []string {
	var names []string
	for _, r := range Rungs() {
		names = append(names, r.Name)
	}
	return names
}

// On returns base with the rung's model: base's width, depth and everything
// that is not under study stay. The rival and the recurrences of rungs 1 to 3d
// are sized so that the model has as many parameters as mamba's, as nearly as
// whole units allow.
func (r Rung) On(base Experiment) (Experiment, error) {
	e := base
	e.Model.Block = nn.DefaultBlockConfig()
	e.Model.Block.Dropout = base.Model.Block.Dropout
	e.Model.Mixer = DefaultMixer(S6)
	if r.Name == "mamba" {
		return e, e.Validate()
	}
	budget, err := CountParams(e)
	if err != nil {
		return Experiment{}, err
	}
	switch r.Name {
	case "conv":
		e.Model.Mixer = MixerConfig{Kind: Identity}
	case "attention":
		e.Model.Mixer = MixerConfig{Kind: Attention, Heads: heads(e.Model.D)}
		e.Model.Block = nn.BlockConfig{Kind: nn.GPTBlock, Dropout: e.Model.Block.Dropout}
		e, err = sized(e, budget, func(m *ModelConfig, n int) { m.Block.Hidden = n })
	case "rnn", "linear":
		e.Model.Mixer = DefaultMixer(Dense)
		e, err = sized(e, budget, func(m *ModelConfig, n int) { m.Mixer.State = n })
		if r.Name == "linear" {
			e.Model.Mixer.Nonlinearity = string(rnn.None)
		}
	case "diagonal", "polar", "ring", "lru":
		e.Model.Mixer = DefaultMixer(Diagonal)
		e, err = sized(e, budget, func(m *ModelConfig, n int) { m.Mixer.State = n })
		r.diagonal(&e.Model.Mixer)
	case "selective":
		e.Model.Mixer.State = 1
	default:
		return Experiment{}, fmt.Errorf("lab: rung %q has no model", r.Name)
	}
	if err != nil {
		return Experiment{}, err
	}
	return e, e.Validate()
}

// The ring of the LRU on sCIFAR and Pathfinder (LRU Table 10).
const ringMin, ringMax = 0.9, 0.999

// diagonal takes back from the full LRU what the rungs before it lack.
func (r Rung) diagonal(m *MixerConfig) {
	m.Gamma = r.Name == "lru"
	if r.Name == "diagonal" || r.Name == "polar" {
		m.RMin, m.RMax = 0, 1
	}
	if r.Name == "diagonal" {
		m.Param = string(ssm.ParamReIm)
	}
}

// sized sets a size of the model such that the number of parameters comes
// closest to budget. The count grows with the size.
func sized(e Experiment, budget int, set func(m *ModelConfig, n int)) (Experiment, error) {
	var err error
	count := func(n int) int {
		set(&e.Model, n)
		c, cerr := CountParams(e)
		if err == nil {
			err = cerr // the others would say the same
		}
		return c
	}
	hi := 1
	for hi < 1<<16 && err == nil && count(hi) < budget {
		hi *= 2
	}
	n := sort.Search(hi, func(i int) bool { return err == nil && count(i+1) >= budget }) + 1
	if n > 1 && budget-count(n-1) < count(n)-budget {
		n--
	}
	set(&e.Model, n)
	return e, err
}

// heads returns how many heads attention over d channels gets: of 8 channels
// or, in small models, at least one head of an even number.
func heads(d int) int {
	for h := max(1, d/8); h > 1; h-- {
		if d%h == 0 && d/h%2 == 0 {
			return h
		}
	}
	return 1
}

// CountParams returns the number of trained scalars of an experiment's model,
// whose mixer must be built in. Arm.CountParams counts any.
func CountParams(e Experiment) (int, error) {
	return countParams(e, nil)
}

func countParams(e Experiment, newMixer MixerFunc) (int, error) {
	if err := e.Validate(); err != nil {
		return 0, err
	}
	e.Device = tensor.DeviceNames()[0]
	_, params, err := BuildWith(e, 1, newMixer)
	return nn.CountParams(params), err
}

// Ladder returns every named rung on base, in ladder order; no name means all.
func Ladder(base Experiment, names ...string) ([]Arm, error) {
	for _, n := range names {
		if _, err := RungNamed(n); err != nil {
			return nil, err
		}
	}
	var arms []Arm
	for _, r := range Rungs() {
		if len(names) > 0 && !slices.Contains(names, r.Name) {
			continue
		}
		e, err := r.On(base)
		if err != nil {
			return nil, fmt.Errorf("lab: rung %s: %w", r.Name, err)
		}
		arms = append(arms, Arm{Name: r.Name, Label: r.Number + " " + r.Name, Experiment: e})
	}
	return arms, nil
}
