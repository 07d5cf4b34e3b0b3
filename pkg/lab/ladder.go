package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/rnn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Rung is one step of the ladder: a model that differs from another rung in
// exactly the declared fields.
type Rung struct {
	Number  string   // "0", "A", "1", … as in the literature of the ladder
	Name    string   //
	Change  string   // the one change, in words
	From    string   // name of the rung it is compared with; "" for none
	Fields  []string // the fields of an Experiment that the change touches
	Expect  string   // what the papers lead one to expect of the step
	Attends bool     // the rival: its MLP is sized to match mamba's parameters
}

// Rungs returns the ladder from the convolution to Mamba (LRU Table 8; Mamba
// Tables 6, 7, 10), in order.
func Rungs() []Rung {
	return []Rung{
		{Number: "0", Name: "conv", Change: "short causal convolution only: no memory beyond its window"},
		{Number: "A", Name: "attention", Change: "causal softmax attention: the rival, O(L²)", From: "conv", Attends: true,
			Fields: []string{"model.block.conv", "model.block.expand", "model.block.gate", "model.block.hidden", "model.block.kind",
				"model.mixer.heads", "model.mixer.kind"}, Expect: "better"},
		{Number: "1", Name: "rnn", Change: "h = tanh(W h + U x + b)", From: "conv",
			Fields: []string{"model.mixer.kind", "model.mixer.nonlinearity", "model.mixer.start", "model.mixer.state"}, Expect: "better"},
		{Number: "2", Name: "linear", Change: "the tanh removed", From: "rnn",
			Fields: []string{"model.mixer.nonlinearity"}, Expect: "no worse"},
		{Number: "3a", Name: "diagonal", Change: "dense → complex diagonal, real and imaginary part trained directly", From: "linear",
			Fields: []string{"model.mixer.kind", "model.mixer.max_phase", "model.mixer.nonlinearity", "model.mixer.param", "model.mixer.r_max", "model.mixer.start"},
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
// that is not under study stay.
func (r Rung) On(base Experiment) (Experiment, error) {
	e := base
	e.Model.Block = nn.DefaultBlockConfig()
	e.Model.Block.Dropout = base.Model.Block.Dropout
	width := e.Model.Block.Width(e.Model.D)
	if r.Attends {
		return r.attention(base)
	}
	m, err := r.mixer(width)
	if err != nil {
		return Experiment{}, err
	}
	e.Model.Mixer = m
	return e, e.Validate()
}

// The ring of the LRU on sCIFAR and Pathfinder (LRU Table 10).
const ringMin, ringMax = 0.9, 0.999

func (r Rung) mixer(width int) (MixerConfig, error) {
	dense := DefaultMixer(Dense)
	dense.State = width
	diagonal := MixerConfig{Kind: Diagonal, State: width, Param: string(ssm.ParamReIm), RMin: 0, RMax: 1, MaxPhase: 2 * math.Pi}
	s6 := DefaultMixer(S6)
	switch r.Name {
	case "conv":
		return MixerConfig{Kind: Identity}, nil
	case "rnn":
		return dense, nil
	case "linear":
		dense.Nonlinearity = string(rnn.None)
		return dense, nil
	case "diagonal":
		return diagonal, nil
	case "polar":
		diagonal.Param = string(ssm.ParamPolar)
		return diagonal, nil
	case "ring", "lru":
		diagonal.Param = string(ssm.ParamPolar)
		diagonal.RMin, diagonal.RMax = ringMin, ringMax
		diagonal.Gamma = r.Name == "lru"
		return diagonal, nil
	case "selective":
		s6.State = 1
		return s6, nil
	case "mamba":
		return s6, nil
	}
	return MixerConfig{}, fmt.Errorf("lab: rung %q has no mixer", r.Name)
}

// attention returns the GPT-style rival with the hidden width whose parameter
// count is closest to the mamba rung's.
func (r Rung) attention(base Experiment) (Experiment, error) {
	mamba, err := RungNamed("mamba")
	if err != nil {
		return Experiment{}, err
	}
	rival, err := mamba.On(base)
	if err != nil {
		return Experiment{}, err
	}
	want, err := CountParams(rival)
	if err != nil {
		return Experiment{}, err
	}
	e := rival
	e.Model.Mixer = MixerConfig{Kind: Attention, Heads: heads(base.Model.D)}
	count := func(hidden int) (int, error) {
		e.Model.Block = nn.BlockConfig{Kind: nn.GPTBlock, Hidden: hidden, Dropout: base.Model.Block.Dropout}
		return CountParams(e)
	}
	one, err := count(1)
	if err != nil {
		return Experiment{}, err
	}
	two, err := count(2)
	if err != nil {
		return Experiment{}, err
	}
	hidden := 1 + int(math.Round(float64(want-one)/float64(two-one)))
	_, err = count(max(1, hidden))
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

// CountParams returns the number of trained scalars of an experiment's model.
func CountParams(e Experiment) (int, error) {
	if err := e.Validate(); err != nil {
		return 0, err
	}
	e.Device = tensor.DeviceNames()[0]
	_, params, err := Build(e, 1)
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
