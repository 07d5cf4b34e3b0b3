package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// ladderBases are the experiments on which the ladder's promises are held: each
// preset's task at three widths.
func ladderBases() (out []Experiment) {
	for _, name := range PresetTasks() {
		for _, d := range []int{16, 32, 64} {
			e := DefaultExperiment(name)
			e.Model.D, e.Model.Tied = d, name == task.GoSource
			out = append(out, e)
		}
	}
	return out
}

// TestNeighbours: a rung differs from the one it stems from in exactly the fields
// that it declares, and in declared sizes at most.
func TestNeighbours(t *testing.T) {
	for _, base := range ladderBases() {
		for _, equal := range Sizings() {
			models, sizes := map[string]Experiment{}, []string{}
			for _, r := range Rungs() {
				sizes = append(sizes, r.Sizes...)
			}
			for _, r := range Rungs() {
				if equal == EqualState && !r.recurrent() {
					continue
				}
				e, err := r.OnSized(base, equal)
				if err != nil {
					t.Fatalf("rung %s: %v", r.Name, err)
				}
				models[r.Name] = e
				from, ok := models[r.From]
				if !ok {
					continue
				}
				var changed []string
				for _, c := range Diff(from, e) {
					// At equal state other sizes of the list follow.
					if !slices.Contains(r.Fields, c.Field) && (slices.Contains(r.Sizes, c.Field) || equal == EqualState && slices.Contains(sizes, c.Field)) {
						continue
					}
					changed = append(changed, c.Field)
				}
				if want := r.Fields; !slices.Equal(changed, want) && !(equal == EqualState && len(changed) >= len(want)-1 && isSubset(changed, want)) {
					t.Errorf("%s, width %d, equal %s: %s → %s changes %q, declared %q", base.Task.Name, base.Model.D, equal, r.From, r.Name, changed, want)
				}
			}
		}
	}
}

func isSubset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}

// fieldWords is how a rung's text names a field that changes: one of the words.
var fieldWords = map[string][]string{
	"model.block.conv": {"convolution"}, "model.block.gate": {"gate"}, "model.block.hidden": {"MLP"}, "model.block.kind": {"block"},
	"model.block.inner": {"width E"}, "model.block.expand": {"width E"},
	"model.mixer.head_dim": {"heads"}, "model.mixer.heads": {"heads"}, "model.mixer.state": {"state"},
	"model.mixer.kind":         {"attention", "h =", "diagonal", "each channel", "λ = exp(ΔA)"},
	"model.mixer.nonlinearity": {"tanh"}, "model.mixer.start": {"start"}, "model.mixer.param": {"λ"},
	"model.mixer.max_phase": {"phase"}, "model.mixer.r_max": {"disk", "ring"}, "model.mixer.r_min": {"ring"}, "model.mixer.gamma": {"γ"},
	"model.mixer.a": {"A ="}, "model.mixer.dt_min": {"Δ"}, "model.mixer.dt_max": {"Δ"}, "model.mixer.select": {"selected"},
}

// TestRungsNameWhatChanges: a field counts as declared only if the rung's text
// names it.
func TestRungsNameWhatChanges(t *testing.T) {
	for _, r := range Rungs() {
		text := r.Change + "; " + r.Follows
		for _, f := range slices.Concat(r.Fields, r.Sizes) {
			words, ok := fieldWords[f]
			if !ok || !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) {
				t.Errorf("rung %s changes %s, but %q has none of %q", r.Name, f, text, words)
			}
		}
		if (r.From == "") != (len(r.Fields) == 0) {
			t.Errorf("rung %s stems from %q and changes %q", r.Name, r.From, r.Fields)
		}
	}
}

// TestEqualParameters: every rung has mamba's number of parameters within 2 %.
func TestEqualParameters(t *testing.T) {
	for _, base := range ladderBases() {
		arms, err := Ladder(base)
		if err != nil || len(arms) != len(Rungs()) {
			t.Fatalf("%d arms, %v", len(arms), err)
		}
		mamba, err := arms[slices.IndexFunc(arms, func(a Arm) bool { return a.Name == "mamba" })].CountParams()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range arms {
			n, err := a.CountParams()
			if off := float64(n-mamba) / float64(mamba); err != nil || math.Abs(off) > 0.02 {
				t.Errorf("%s, width %d: %s has %d parameters, %+.2f %% of mamba's %d, want within 2 (%v)", base.Task.Name, base.Model.D, a.Name, n, 100*off, mamba, err)
			}
		}
	}
}

// TestEqualState: every recurrence carries mamba's number of values from step to
// step, counted in the state that its mixer really makes.
func TestEqualState(t *testing.T) {
	base := DefaultExperiment(task.Induction)
	arms, err := LadderSized(base, EqualState)
	if err != nil {
		t.Fatal(err)
	}
	if len(arms) != len(Rungs())-3 {
		t.Errorf("%d arms, want all but conv, attention and gpt", len(arms))
	}
	for _, a := range arms {
		e := a.Experiment
		e.Device = "reference"
		m, _, err := Build(e, 1)
		if err != nil {
			t.Fatal(err)
		}
		counted, n := 0, 16*2*base.Model.D
		for _, p := range m.Blocks[0].Mixer.NewState(1).Export().Tensors {
			counted += len(p)
		}
		if size, _ := countState(e); size != n || counted != n {
			t.Errorf("%s: state of %d by its config, %d as made, want mamba's %d", a.Name, size, counted, n)
		}
	}
	if _, err := (Rung{Name: "attention"}).OnSized(base, EqualState); err == nil || !strings.Contains(err.Error(), "no state of a fixed size") {
		t.Errorf("attention at equal state: %v", err)
	}
}

// TestStateSizeOfAll: what stateSize says is what every kind of mixer makes, at
// equal parameters, too.
func TestStateSizeOfAll(t *testing.T) {
	for _, k := range Mixers() {
		e := tiny(k)
		e.Device = "reference"
		m, _, err := Build(e, 1)
		if err != nil {
			t.Fatal(err)
		}
		counted := 0
		if k != Identity && k != Attention {
			for _, p := range m.Blocks[0].Mixer.NewState(1).Export().Tensors {
				counted += len(p)
			}
			if size, _ := countState(e); size != counted || counted == 0 {
				t.Errorf("%s: state of %d by its config, %d as made", k, size, counted)
			}
		}
	}
}

func TestFactorialIsComplete(t *testing.T) {
	base := DefaultExperiment(task.Induction)
	seen := map[string]string{}
	for _, r := range Rungs() {
		e, err := r.On(base)
		if err != nil {
			t.Fatal(err)
		}
		if m := e.Model.Mixer; m.Kind == S6 {
			cell := fmt.Sprint(m.Select, " × ", m.State)
			if other := seen[cell]; other != "" {
				t.Errorf("%s and %s are both %s", other, r.Name, cell)
			}
			seen[cell] = r.Name
		}
	}
	for _, cell := range []string{"none × 1", "delta × 1", "delta,b,c × 1", "none × 16", "delta × 16", "delta,b,c × 16"} {
		if seen[cell] == "" {
			t.Errorf("no rung is %s: %v", cell, seen)
		}
	}
}
