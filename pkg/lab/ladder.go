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
// exactly the declared fields. What is not named in Change or Follows does not
// change.
type Rung struct {
	Number  string   // "0", "A", "1", …
	Name    string   //
	Change  string   // the one change, in words
	Follows string   // what follows from it: sizes, and where what is new starts
	From    string   // name of the rung it is compared with; "" for none
	Fields  []string // the fields of an Experiment that change
	Sizes   []string // and those that may change to keep the number of parameters
	Expect  Expectation
}

// Expectation is what the papers lead one to expect of a step.
type Expectation string

// The expectations. Where nothing is predicted it is "".
const (
	ExpectBetter  Expectation = "better"
	ExpectNoWorse Expectation = "no worse"
	ExpectNoGain  Expectation = "no gain"
)

// Rungs returns the ladder, in order: from the convolution to Mamba (LRU, Table
// 8; Mamba, Tables 6, 7, 10), then the two models that complete the factorial
// {nothing, Δ, Δ+B+C from the input} × {1, 16 states}.
func Rungs() []Rung {
	const width, states = "width E by equal parameters", "N states by equal parameters"
	model := func(fields ...string) []string {
		for i, f := range fields {
			fields[i] = "model." + f
		}
		return fields
	}
	return []Rung{
		{Number: "0", Name: "conv", Change: "short causal convolution only: no memory beyond its window", Follows: width},
		{Number: "A", Name: "attention", Change: "causal softmax attention as the mixer: reads every step, O(L²)", From: "conv",
			Follows: "heads of 8 channels, D in all; " + width,
			Fields:  model("mixer.head_dim", "mixer.heads", "mixer.kind"), Sizes: model("block.inner"), Expect: ExpectBetter},
		{Number: "B", Name: "gpt", Change: "attention in its own block, GPT's: an MLP in place of convolution and gate", From: "attention",
			Follows: "hidden width of the MLP by equal parameters, no inner width E",
			Fields:  model("block.conv", "block.gate", "block.hidden", "block.kind"), Sizes: model("block.inner")},
		{Number: "1", Name: "rnn", Change: "h = tanh(W h + U x + b)", From: "conv",
			Follows: "W starts as Ginibre's matrix; " + states + ", width E as mamba's",
			Fields:  model("mixer.kind", "mixer.nonlinearity", "mixer.start", "mixer.state"), Sizes: model("block.expand", "block.inner"),
			Expect: ExpectBetter},
		{Number: "2", Name: "linear", Change: "the tanh removed", From: "rnn",
			Fields: model("mixer.nonlinearity"), Expect: ExpectNoWorse},
		{Number: "3", Name: "diagonal", Change: "dense → complex diagonal, real and imaginary part of λ trained directly", From: "linear",
			Follows: "λ starts where the dense matrix's do, on the disk |λ| ≤ 1 with any phase; no tanh to switch, no bias; " + states,
			Fields:  model("mixer.kind", "mixer.max_phase", "mixer.nonlinearity", "mixer.param", "mixer.r_max", "mixer.start"), Sizes: model("mixer.state"),
			Expect: ExpectBetter},
		{Number: "4", Name: "polar", Change: "λ = exp(−exp(ν) + i·exp(θ)): stable whatever ν is", From: "diagonal",
			Fields: model("mixer.param"), Expect: ExpectNoWorse},
		{Number: "5", Name: "ring", Change: "λ starts on a ring near |λ| = 1", From: "polar",
			Fields: model("mixer.r_max", "mixer.r_min"), Expect: ExpectNoWorse},
		{Number: "6", Name: "lru", Change: "input scaled by γ = √(1−|λ|²), learned: the full LRU", From: "ring", Follows: states,
			Fields: model("mixer.gamma"), Sizes: model("mixer.state"), Expect: ExpectNoWorse},
		{Number: "7", Name: "siso", Change: "dense B and C that all channels share → a recurrence for each channel", From: "lru",
			Follows: "one state a channel; B = D = 1 at the start, C ~ N(0,1), D without weight decay; " + width,
			Fields:  model("mixer.kind"), Sizes: model("block.expand", "block.inner", "mixer.state"), Expect: ExpectNoWorse},
		{Number: "8", Name: "real", Change: "complex → real λ, B and C", From: "siso",
			Follows: "no phase; " + width,
			Fields:  model("mixer.max_phase", "mixer.param"), Sizes: model("block.inner"), Expect: ExpectNoWorse},
		{Number: "9", Name: "discrete", Change: "λ and γ from one step size Δ: λ = exp(ΔA), input times Δ", From: "real",
			Follows: "A = −1 and Δ log-uniform at the start, which puts λ on the ring's range but most of them nearer 1, and the input at a smaller scale than γ; nothing selected; " + width,
			Fields:  model("mixer.a", "mixer.dt_max", "mixer.dt_min", "mixer.gamma", "mixer.kind", "mixer.param", "mixer.r_max", "mixer.r_min", "mixer.select"), Sizes: model("block.inner"), Expect: ExpectNoWorse},
		{Number: "10", Name: "delta", Change: "Δ selected: computed from the input", From: "discrete", Follows: width,
			Fields: model("mixer.select"), Sizes: model("block.inner"), Expect: ExpectBetter},
		{Number: "11", Name: "selective", Change: "B and C selected, too: computed from the input", From: "delta",
			Follows: "B and C are then the same for all channels, one number each with one state; B no longer starts at 1, and what makes it decays; " + width,
			Fields:  model("mixer.select"), Sizes: model("block.inner"), Expect: ExpectBetter},
		{Number: "12", Name: "mamba", Change: "16 states a channel", From: "selective", Follows: "A starts at −1, −2, … −16; width E = 2D, Mamba's",
			Fields: model("mixer.state"), Sizes: model("block.expand", "block.inner"), Expect: ExpectBetter},
		{Number: "9×", Name: "discrete16", Change: "16 states a channel, nothing selected", From: "discrete", Follows: "A starts at −1, −2, … −16; " + width,
			Fields: model("mixer.state"), Sizes: model("block.inner"), Expect: ExpectNoGain},
		{Number: "10×", Name: "delta16", Change: "16 states a channel, Δ alone selected", From: "delta", Follows: "A starts at −1, −2, … −16; " + width,
			Fields: model("mixer.state"), Sizes: model("block.inner"), Expect: ExpectNoGain},
	}
}

// RungNamed returns the rung of that name.
func RungNamed(name string) (Rung, error) {
	for _, r := range Rungs() {
		if r.Name == name {
			return r, nil
		}
	}
	return Rung{}, fmt.Errorf("lab: rung %q, want one of %s", name, strings.Join(RungNames(), ", "))
}

// RungNames returns the names of the rungs, in order.
func RungNames() []string {
	var names []string
	for _, r := range Rungs() {
		names = append(names, r.Name)
	}
	return names
}

// Sizing says in what the rungs are made equal.
type Sizing string

// The sizings.
const (
	EqualParameters Sizing = "parameters" // as many trained numbers as mamba, within 2 %
	EqualState      Sizing = "state"      // as many numbers carried from step to step as mamba
)

// Sizings lists the sizings.
func Sizings() []Sizing { return []Sizing{EqualParameters, EqualState} }

// On returns base with the rung's model at equal parameters: base's width D,
// depth and everything that is not under study stay. One size of the rung makes
// its number of parameters mamba's, as nearly as whole units allow: the number of
// states of rungs 1 to 6, the MLP's width of gpt, the inner width E of the others.
func (r Rung) On(base Experiment) (Experiment, error) { return r.OnSized(base, EqualParameters) }

// OnSized is On with a choice of what is equal. A rung without a state of fixed
// size (conv, attention, gpt) has no equal state, which is an error.
func (r Rung) OnSized(base Experiment, equal Sizing) (Experiment, error) {
	e := base
	e.Model.Block = nn.DefaultBlockConfig()
	e.Model.Block.Dropout = base.Model.Block.Dropout
	e.Model.Mixer = DefaultMixer(S6)
	if r.Name == "mamba" {
		return e, e.Validate()
	}
	target, measure := 0, CountParams
	if equal == EqualState {
		measure = countState
	}
	target, err := measure(e)
	if err != nil {
		return Experiment{}, err
	}
	resize, err := r.put(&e.Model)
	if err != nil {
		return Experiment{}, err
	}
	if equal == EqualState && !r.recurrent() {
		return Experiment{}, fmt.Errorf("lab: rung %q has no state of a fixed size, want a recurrence for equal state", r.Name)
	}
	if e, err = sized(e, target, measure, resize); err != nil {
		return Experiment{}, err
	}
	return e, e.Validate()
}

// recurrent reports whether the rung carries a state of a fixed size.
func (r Rung) recurrent() bool { return !slices.Contains([]string{"conv", "attention", "gpt"}, r.Name) }

// The ring of the LRU on sCIFAR and Pathfinder (LRU Table 10).
const ringMin, ringMax = 0.9, 0.999

// The sizes by which rungs are made equal.
func inner(m *ModelConfig, n int)  { m.Block.Expand, m.Block.Inner = 0, n }
func hidden(m *ModelConfig, n int) { m.Block.Hidden = n }
func states(m *ModelConfig, n int) { m.Mixer.State = n }

// put makes m, which is mamba, the rung's model, and returns what its size is
// set by.
func (r Rung) put(m *ModelConfig) (resize func(*ModelConfig, int), err error) {
	c := &m.Mixer
	switch r.Name {
	case "conv":
		*c = MixerConfig{Kind: Identity}
		return inner, nil
	case "attention", "gpt":
		n := heads(m.D)
		*c = MixerConfig{Kind: Attention, Heads: n, HeadDim: m.D / n}
		if r.Name == "attention" {
			return inner, nil
		}
		m.Block = nn.BlockConfig{Kind: nn.GPTBlock, Dropout: m.Block.Dropout}
		return hidden, nil
	case "rnn", "linear":
		*c = DefaultMixer(Dense)
		if r.Name == "linear" {
			c.Nonlinearity = string(rnn.None)
		}
		return states, nil
	case "diagonal", "polar", "ring", "lru":
		r.diagonal(c)
		return states, nil
	case "siso":
		*c = DefaultMixer(SISO)
		return inner, nil
	case "real":
		*c = DefaultMixer(SISO)
		c.Param, c.MaxPhase = string(ssm.ParamReal), 0
		return inner, nil
	case "discrete", "delta", "selective", "discrete16", "delta16":
		r.selective(c)
		return inner, nil
	}
	return nil, fmt.Errorf("lab: rung %q has no model", r.Name)
}

// diagonal takes back from the full LRU what the rungs before it lack.
func (r Rung) diagonal(c *MixerConfig) {
	*c = DefaultMixer(Diagonal)
	c.Gamma = r.Name == "lru"
	if r.Name == "diagonal" || r.Name == "polar" {
		c.RMin, c.RMax = 0, 1
	}
	if r.Name == "diagonal" {
		c.Param = string(ssm.ParamReIm)
	}
}

// selective takes back from Mamba what the rungs before it lack.
func (r Rung) selective(c *MixerConfig) {
	name, sixteen := strings.CutSuffix(r.Name, "16")
	if !sixteen {
		c.State = 1
	}
	switch name {
	case "discrete":
		c.Select = "none"
	case "delta":
		c.Select = "delta"
	}
}

// sized sets a size of the model such that its measure comes closest to target.
// The measure grows with the size.
func sized(e Experiment, target int, measure func(Experiment) (int, error), resize func(m *ModelConfig, n int)) (Experiment, error) {
	var err error
	count := func(n int) int {
		resize(&e.Model, n)
		c, cerr := measure(e)
		if err == nil {
			err = cerr // the others would say the same
		}
		return c
	}
	hi := 1
	for hi < 1<<16 && err == nil && count(hi) < target {
		hi *= 2
	}
	n := sort.Search(hi, func(i int) bool { return err == nil && count(i+1) >= target }) + 1
	if n > 1 && target-count(n-1) < count(n)-target {
		n--
	}
	resize(&e.Model, n)
	return e, err
}

// heads returns how many heads attention of d channels gets: of 8 channels or,
// in small models, at least one head of an even number.
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

// countState returns the numbers that the mixer of one block carries from step to
// step.
func countState(e Experiment) (int, error) {
	n, _ := e.Model.Mixer.stateSize(e.Model.Block.Width(e.Model.D))
	return n, e.Validate()
}

// Ladder returns every named rung on base, in ladder order; no name means all.
func Ladder(base Experiment, names ...string) ([]Arm, error) {
	return LadderSized(base, EqualParameters, names...)
}

// LadderSized is Ladder with a choice of what is equal; of equal state only the
// recurrences take part.
func LadderSized(base Experiment, equal Sizing, names ...string) ([]Arm, error) {
	for _, n := range names {
		if _, err := RungNamed(n); err != nil {
			return nil, err
		}
	}
	var arms []Arm
	for _, r := range Rungs() {
		if len(names) > 0 && !slices.Contains(names, r.Name) || equal == EqualState && !r.recurrent() {
			continue
		}
		e, err := r.OnSized(base, equal)
		if err != nil {
			return nil, fmt.Errorf("lab: rung %s: %w", r.Name, err)
		}
		arms = append(arms, Arm{Name: r.Name, Label: r.Number + " " + r.Name, Experiment: e})
	}
	return arms, nil
}
